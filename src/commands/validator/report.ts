import { Args, Flags } from '@oclif/core'
import {
  BaseCommand,
  flagsOf,
  formatTable,
  type Invocation,
  runUntilStopped,
  stateFolderOf,
} from '../../cli/index.js'
import { isGiven } from '../../config/index.js'
import { systemClock, TargonError } from '../../kernel/index.js'

export default class ValidatorReport extends BaseCommand {
  static override summary =
    'Explain the scores of miners: windows, verdicts by cause, speeds, recent failures'

  static override description =
    'Reads the history of the validator, also while it runs: the file in its state folder, or Postgres with --database.url. The scores come from the validator running on this machine. One whose file cannot be read, as that of a container, is asked for its history.'

  static override usage = 'validator report [UID|HOTKEY] [--hours <n>] [--json | --csv | --html] [FLAGS]'

  static override examples = [
    '<%= config.bin %> validator report 12',
    '<%= config.bin %> validator report --hours 168 --html > report.html',
  ]

  static override args = {
    miner: Args.string({ description: 'Show only this miner, by uid or hotkey.', ignoreStdin: true }),
  }

  static override flags = {
    ...flagsOf('validator', [
      'metrics.port',
      'database.url',
      'wallet.name',
      'wallet.hotkey',
      'netuid',
      'neuron.name',
      'logging.logging_dir',
    ]),
    hours: Flags.integer({
      summary: 'Hours to look back.',
      helpValue: '<n>',
      min: 1,
      max: 99_999,
      default: 24,
    }),
    csv: Flags.boolean({ summary: 'Print CSV, one line per miner and model.', exclusive: ['html', 'json'] }),
    html: Flags.boolean({
      summary: 'Print a self-contained HTML page with plots.',
      exclusive: ['csv', 'json'],
    }),
  }

  run(): Promise<unknown> {
    return this.runWith('validator', (invocation) => this.#show(invocation))
  }

  async #show({ settings, resolved, actions, args }: Invocation<'validator'>): Promise<unknown> {
    const { explainReport, readMinersReport, writeCsv, writePage, writeText } = await import(
      '../../roles/validator/index.js'
    )
    const miner = args.miner === undefined ? undefined : String(args.miner)
    const found = await runUntilStopped({ exitWithStdin: false }, async (signal) => {
      const netuid = await learnNetuid(settings, isGiven(resolved, 'netuid'), signal)
      return readMinersReport({
        clock: systemClock,
        signal,
        miner,
        hours: Number(actions.hours ?? 24),
        stateDir: stateFolderOf({ ...settings, netuid }, 'validator'),
        statusPort: settings['metrics.port'],
        databaseUrl: settings['database.url'],
      })
    })
    const report = explainReport(found, miner)
    const [only] = report.miners
    if (miner !== undefined && !only) throw unknownMiner(miner)
    if (actions.csv) this.log(writeCsv(report))
    else if (actions.html) this.log(await writePage(report))
    else if (!this.jsonEnabled()) this.log(writeText(report, miner !== undefined, formatTable))
    return report
  }
}

/** The subnet names the state folder: that of the running validator unless the operator gave one. */
async function learnNetuid(
  settings: Invocation<'validator'>['settings'],
  isGivenNetuid: boolean,
  signal: AbortSignal,
): Promise<number> {
  if (isGivenNetuid || settings['metrics.port'] === 0) return settings.netuid
  const { netuidOf, readLocalStatus } = await import('../../roles/index.js')
  const { validatorStatus } = await import('../../roles/validator/index.js')
  const context = { clock: systemClock, signal }
  const status = readLocalStatus('validator', settings['metrics.port'], validatorStatus, context)
  const found = await status.catch(() => undefined)
  signal.throwIfAborted()
  return netuidOf(settings.netuid, false, found?.chain)
}

function unknownMiner(name: string): TargonError {
  return new TargonError(`There are no results for miner ${name}.`, {
    code: 'MINER_UNKNOWN',
    fault: 'usage',
    next: 'List all miners with: targon validator report; or look further back with --hours.',
  })
}
