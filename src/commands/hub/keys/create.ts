import { Args } from '@oclif/core'
import {
  BaseCommand,
  hubDatabaseFlags,
  hubPlaceOf,
  type Invocation,
  keyLimitFlags,
} from '../../../cli/index.js'
import { systemClock } from '../../../kernel/index.js'

export default class HubKeysCreate extends BaseCommand {
  static override summary = 'Create an API key for a user of the hub, and print its secret'

  static override description =
    'The secret is shown only this once; the database has its SHA-256. A hub that runs accepts the key at once. Without limits the key may use all that the hub has.'

  static override usage = 'hub keys create NAME [--budget <n>] [--expires <time>] [--no-retention] [FLAGS]'

  static override examples = [
    '<%= config.bin %> <%= command.id %> ann --requests-per-minute 60 --concurrent 4',
    '<%= config.bin %> <%= command.id %> trial --budget 100000 --expires 30d --models org/a,org/b',
  ]

  static override args = {
    name: Args.string({ description: 'Name by which you know the key.', required: true, ignoreStdin: true }),
  }

  static override flags = { ...hubDatabaseFlags(), ...keyLimitFlags() }

  run(): Promise<unknown> {
    return this.runWith('hub', (invocation) => this.#create(invocation))
  }

  async #create({ settings, actions, args }: Invocation<'hub'>): Promise<unknown> {
    const { createKey, keyDocument, newKey, useAccounts } = await import('../../../accounts/index.js')
    const wanted = newKey(String(args.name), actions, systemClock.now())
    const { key, secret } = await useAccounts(hubPlaceOf(settings), (database) => createKey(database, wanted))
    this.logToStderr(`Created ${key.id} for ${key.name}. Its secret is shown only this once:`)
    this.log(secret)
    return { ...keyDocument({ ...key, spentTokens: 0, running: 0 }), secret }
  }
}
