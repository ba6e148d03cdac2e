import { randomUUID } from 'node:crypto'
import { Flags } from '@oclif/core'
import {
  BaseCommand,
  EXIT_STATUS,
  flagsOf,
  formatTable,
  type Invocation,
  openQuietLog,
  runUntilStopped,
} from '../../cli/index.js'
import { systemClock } from '../../kernel/index.js'

export default class MinerCheck extends BaseCommand {
  static override summary = 'Ask the miner’s model servers as a validator would, and say what it will see'

  static override description =
    'Judges greedy and sampled answers of every model with the verdict and the evidence of a validator. The reference is the engine of --against, or the server’s own reading of its tokens, which cannot show other weights. Needs no chain and no hotkey; changes nothing on disk. Status 0: a validator would verify everything; 1: it would not.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --model-endpoint http://127.0.0.1:8000/v1',
    '<%= config.bin %> <%= command.id %> --against org/model=http://127.0.0.1:8001/v1',
  ]

  static override usage = 'miner check [--against <model=url>] [--model <name>] [--json] [FLAGS]'

  static override flags = {
    ...flagsOf('miner check'),
    against: Flags.string({
      summary: 'Second engine to compare with, as model=url; repeatable. Its key is TARGON_ENGINE_API_KEY.',
      helpValue: '<model=url>',
      helpGroup: 'MINER CHECK',
      multiple: true,
      multipleNonGreedy: true,
    }),
    model: Flags.string({
      summary: 'Check only this model.',
      helpValue: '<name>',
      helpGroup: 'MINER CHECK',
    }),
    answers: Flags.integer({
      summary: 'Answers to judge per model.',
      helpValue: '<n>',
      helpGroup: 'MINER CHECK',
      min: 4,
      max: 1000,
      default: 12,
    }),
  }

  run(): Promise<unknown> {
    return this.runWith('miner check', (invocation) =>
      runUntilStopped({ exitWithStdin: false }, (signal) => this.#check(invocation, signal)),
    )
  }

  async #check({ settings, actions }: Invocation<'miner check'>, signal: AbortSignal): Promise<unknown> {
    const { parseEngineEndpoints } = await import('../../engine/index.js')
    const { readUpstreams } = await import('../../roles/miner/serving/index.js')
    const { checkMiner, writeCheck } = await import('../../roles/miner/check/index.js')
    const against = Array.isArray(actions.against) ? actions.against.map(String) : []
    const log = await openQuietLog('miner check', settings)
    const options = {
      servers: readUpstreams(settings),
      against: parseEngineEndpoints(against),
      againstKey: settings['engine.api-key'],
      hub: {
        hubUrl: settings['engine.hub-url'],
        hubToken: settings['engine.hub-token'],
        modelDir: settings['engine.model-dir'],
      },
      model: typeof actions.model === 'string' ? actions.model : undefined,
      answers: Number(actions.answers ?? 12),
      seed: settings.seed ?? randomUUID(),
    }
    const onProgress = (sentence: string) => this.logToStderr(sentence)
    const check = await checkMiner(options, { clock: systemClock, log, signal, onProgress })
    this.log(writeCheck(check, formatTable))
    if (!check.verified) process.exitCode = EXIT_STATUS.runtime
    return check
  }
}
