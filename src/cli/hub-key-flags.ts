import { Flags, type Interfaces } from '@oclif/core'
import { flagsOf } from './flags.js'
import { type StateLocation, stateFolderOf } from './state-folder.js'

/** The flags that say where the keys of a hub are. */
export function hubDatabaseFlags(): Interfaces.FlagInput {
  return flagsOf('hub', [
    'database.url',
    'wallet.name',
    'wallet.hotkey',
    'netuid',
    'neuron.name',
    'logging.logging_dir',
  ])
}

/** Where these flags say that they are. */
export function hubPlaceOf(settings: StateLocation & { readonly 'database.url': string | undefined }) {
  return { url: settings['database.url'], stateDir: stateFolderOf(settings, 'hub') }
}

const helpGroup = 'LIMITS'

/** The limits of a key. */
export function keyLimitFlags(): Interfaces.FlagInput {
  const limit = (summary: string, helpValue: string) => Flags.string({ summary, helpValue, helpGroup })
  return {
    'requests-per-minute': limit('Requests that may start in one minute.', '<n|none>'),
    'tokens-per-day': limit('Tokens of prompts and answers in one day of UTC.', '<n|none>'),
    concurrent: limit('Requests that may run at the same time.', '<n|none>'),
    budget: limit('Tokens of prompts and answers in all.', '<n|none>'),
    models: limit('Models that may be asked, with commas between them.', '<names|none>'),
    expires: limit(
      'When the key expires: a span from now such as 30d or 12h, or a date or time, such as 2026-12-31 (its beginning in UTC).',
      '<time|none>',
    ),
    retention: Flags.boolean({
      summary:
        'Requests and answers of this key may be kept and handed to validators; --no-retention keeps none.',
      helpGroup,
      allowNo: true,
    }),
  }
}
