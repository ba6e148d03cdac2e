import { Args, Flags } from '@oclif/core'
import {
  BaseCommand,
  flagsOf,
  formatTable,
  type Invocation,
  runUntilStopped,
  stateFolderOf,
} from '../../cli/index.js'
import { systemClock, TargonError } from '../../kernel/index.js'
import type { ExplainedMiner, ExplainedReport } from '../../roles/index.js'

type ModelReport = ExplainedMiner['models'][number]

export default class ValidatorReport extends BaseCommand {
  static override summary =
    'Explain the scores of miners: windows, verdicts by cause, speeds, recent failures'

  static override description =
    'Reads from the validator running on this machine, or from its embedded database if none is running; with --database.url, reads Postgres directly.'

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

  async #show({ settings, actions, args }: Invocation<'validator'>): Promise<unknown> {
    const { describeFailures, escapeTexts, explainReport, readMinersReport, writeCsv, writePage } =
      await import('../../roles/validator/index.js')
    const miner = args.miner === undefined ? undefined : String(args.miner)
    const found = await runUntilStopped({ exitWithStdin: false }, (signal) =>
      readMinersReport({
        clock: systemClock,
        signal,
        miner,
        hours: Number(actions.hours ?? 24),
        stateDir: stateFolderOf(settings, 'validator'),
        statusPort: settings['metrics.port'],
        databaseUrl: settings['database.url'],
      }),
    )
    const report = explainReport(found, miner)
    const [only] = report.miners
    if (miner !== undefined && !only) throw unknownMiner(miner)
    if (actions.csv) this.log(writeCsv(report))
    else if (actions.html) this.log(await writePage(report))
    else if (!this.jsonEnabled())
      this.log(printReport(escapeTexts(report), miner !== undefined, describeFailures))
    return report
  }
}

type DescribeFailures = (verdicts: ModelReport['verdicts']) => string

/** The table of all miners, or the details of one. */
function printReport(report: ExplainedReport, isOne: boolean, failuresOf: DescribeFailures): string {
  const [only] = report.miners
  return isOne && only ? describe(only, report, failuresOf) : tableOf(report, failuresOf)
}

function headline({ source, since, validator }: ExplainedReport): string {
  const from = { validator: 'running validator', embedded: 'embedded database', postgres: 'Postgres' }[source]
  const state = validator
    ? `block ${validator.block}, epoch ${validator.epoch.index}, weights due at block ${validator.epoch.nextBlock}, ${validator.rounds} rounds\n`
    : ''
  return `${state}results since ${since} (${from})`
}

function tableOf(report: ExplainedReport, failuresOf: DescribeFailures): string {
  const head = [
    'uid',
    'model',
    'score',
    'weight',
    'verified',
    'no verdict',
    'tokens/s',
    'first ms',
    'trend',
    'failed',
  ]
  const rows = report.miners.flatMap((miner) => {
    const common = [String(miner.uid)]
    const now = [text(miner.score?.toFixed(3)), text(miner.weightU16)]
    if (miner.models.length === 0) {
      const counts = miner.sinceStart
      return [
        [
          ...[...common, miner.serves?.join(', ') || '-', ...now],
          ...[text(counts?.verified), text(counts?.inconclusive), '-', '-', '-'],
          counts ? failuresOf(counts) : '-',
        ],
      ]
    }
    return miner.models.map((model) => [
      ...[...common, model.model, ...now],
      ...[String(model.verdicts.verified), String(model.verdicts.inconclusive)],
      ...[text(model.tokensPerSecond?.p50.toFixed(1)), text(model.timeToFirstTokenMs?.p50.toFixed(0))],
      ...[sparkline(model), failuresOf(model.verdicts)],
    ])
  })
  return `${headline(report)}\n${formatTable([head, ...rows], [0, 2, 3, 4, 5, 6, 7])}`
}

function describe(miner: ExplainedMiner, report: ExplainedReport, failuresOf: DescribeFailures): string {
  const facts = [
    ['uid', String(miner.uid)],
    ['hotkey', miner.hotkey],
    ['score', text(miner.score?.toFixed(3))],
    ['weight', text(miner.weightU16)],
    ['serves', miner.serves ? miner.serves.join(', ') || 'none' : '-'],
    ['results', miner.from && miner.to ? `${miner.from} to ${miner.to}` : 'none in this period'],
  ]
  const models = miner.models.map((model) => `\n${describeModel(model, failuresOf)}`)
  return [headline(report), formatTable(facts), ...models].join('\n')
}

function describeModel(model: ModelReport, failuresOf: DescribeFailures): string {
  const { verdicts, notServing, satOut, tokensPerSecond, timeToFirstTokenMs } = model
  const spread = (of: typeof tokensPerSecond, digits: number) =>
    of ? [of.p5, of.p50, of.p95].map((value) => value.toFixed(digits)).join(' / ') : '-'
  const facts = [
    ['window', model.window.map((result) => (result === null ? 'miss' : result.toFixed(1))).join(' ') || '-'],
    ['verified', String(verdicts.verified)],
    ['no verdict', String(verdicts.inconclusive)],
    ['failed', failuresOf(verdicts)],
    ['not serving', `${notServing} times`],
    ['sat out', `${satOut} rounds, while its last answer was still streaming`],
    ['tokens/s p5/p50/p95', spread(tokensPerSecond, 1)],
    ['first token ms p5/p50/p95', spread(timeToFirstTokenMs, 0)],
    ['trend by hour', sparkline(model)],
  ]
  const failures = model.lastFailures.map(({ at, block, cause, tokens, detail }) => [
    ...[`  ${at}`, `block ${block}`, cause, `${tokens} tokens`, detail],
  ])
  const last = failures.length > 0 ? `\nlast failures\n${formatTable(failures)}` : ''
  return `${model.model}\n${formatTable(facts)}${last}`
}

const BARS = '▁▂▃▄▅▆▇█'

/** Mean speed per hour; `×` is an hour with failures only, `·` an hour without verdicts. */
function sparkline({ trend }: ModelReport): string {
  const hours = trend.slice(-24)
  const highest = Math.max(...hours.map(({ meanTokensPerSecond }) => meanTokensPerSecond), 1e-9)
  return hours
    .map(({ verified, failed, meanTokensPerSecond }) => {
      if (verified === 0) return failed > 0 ? '×' : '·'
      return BARS[Math.min(7, Math.floor((8 * meanTokensPerSecond) / highest))] ?? ''
    })
    .join('')
}

function text(value: string | number | null | undefined): string {
  return value === null || value === undefined ? '-' : String(value)
}

function unknownMiner(name: string): TargonError {
  return new TargonError(`There are no results for miner ${name}.`, {
    code: 'MINER_UNKNOWN',
    fault: 'usage',
    next: 'List all miners with: targon validator report; or look further back with --hours.',
  })
}
