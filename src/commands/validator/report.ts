import { Args } from '@oclif/core'
import { BaseCommand, flagsOf, formatTable, runUntilStopped } from '../../cli/index.js'
import { systemClock } from '../../clock.js'
import { TargonError } from '../../errors.js'
import type { ValidatorStatus } from '../../roles/index.js'

type MinerStatus = ValidatorStatus['miners'][number]

export default class ValidatorReport extends BaseCommand {
  static override summary = 'Show why miners have their scores, from the validator that runs on this machine.'

  static override usage = 'validator report [UID|HOTKEY] [--metrics.port <integer>] [--json]'

  static override args = {
    miner: Args.string({ description: 'Only this miner, by uid or hotkey.', ignoreStdin: true }),
  }

  static override flags = flagsOf('validator', ['metrics.port'])

  async run(): Promise<unknown> {
    const { settings, resolved, actions, args, warnings } = await this.readInvocation('validator')
    if (actions['print-config']) return this.printConfig(resolved)
    this.printWarnings(warnings)
    const { readLocalStatus } = await import('../../roles/index.js')
    const { validatorStatus } = await import('../../roles/validator/index.js')
    const status = await runUntilStopped({ exitWithStdin: false }, (signal) =>
      readLocalStatus('validator', settings['metrics.port'], validatorStatus, { clock: systemClock, signal }),
    )
    if (args.miner === undefined) {
      this.log(tableOf(status))
      return status
    }
    const miner = status.miners.find(({ uid, hotkey }) => String(uid) === args.miner || hotkey === args.miner)
    if (!miner) throw unknownMiner(String(args.miner))
    this.log(formatTable(describe(miner, status)))
    return miner
  }
}

function tableOf(status: ValidatorStatus): string {
  const head = ['uid', 'verified', 'failed', 'no verdict', 'tokens/s', 'score', 'weight', 'last', 'models']
  const rows = [...status.miners]
    .sort((a, b) => b.score - a.score || a.uid - b.uid)
    .map((miner) => [
      String(miner.uid),
      String(miner.verdicts.verified),
      failuresOf(miner),
      String(miner.verdicts.inconclusive),
      miner.meanTokensPerSecond.toFixed(1),
      miner.score.toFixed(3),
      weightOf(miner, status),
      miner.last ? (miner.last.cause ?? miner.last.kind) : '-',
      miner.models.join(', ') || '-',
    ])
  const epoch = `block ${status.block}, epoch ${status.epoch.index}, weights due at block ${status.epoch.nextBlock}, ${status.rounds} rounds`
  return `${epoch}\n${formatTable([head, ...rows], [0, 1, 3, 4, 5, 6])}`
}

function describe(miner: MinerStatus, status: ValidatorStatus): string[][] {
  const { last } = miner
  return [
    ['uid', String(miner.uid)],
    ['hotkey', miner.hotkey],
    ['models', miner.models.join(', ') || 'none'],
    ['score', miner.score.toFixed(3)],
    ['weight', weightOf(miner, status)],
    ['tokens/s', miner.meanTokensPerSecond.toFixed(2)],
    ['verified', String(miner.verdicts.verified)],
    ['no verdict', String(miner.verdicts.inconclusive)],
    ['failed', failuresOf(miner)],
    [
      'last',
      last ? `${last.model}: ${[last.kind, last.cause, last.detail].filter(Boolean).join(' · ')}` : 'none',
    ],
  ]
}

function failuresOf({ verdicts }: MinerStatus): string {
  const causes = Object.entries(verdicts.failed)
  return causes.length === 0 ? '0' : causes.map(([cause, count]) => `${cause} ${count}`).join(', ')
}

function weightOf({ uid }: MinerStatus, { weights }: ValidatorStatus): string {
  if (!weights) return '-'
  return String(weights.entries.find((entry) => entry.uid === uid)?.weightU16 ?? 0)
}

function unknownMiner(name: string): TargonError {
  return new TargonError(`The validator knows no miner ${name}.`, {
    code: 'MINER_UNKNOWN',
    fault: 'usage',
    next: 'See them all with: targon validator report',
  })
}
