import { Args, Flags } from '@oclif/core'
import {
  BaseCommand,
  EXIT_STATUS,
  flagsOf,
  type Invocation,
  openQuietLog,
  runUntilStopped,
} from '../cli/index.js'
import { escapeControls, initSr25519, packageVersion, systemClock, TargonError } from '../kernel/index.js'

export default class Verify extends BaseCommand {
  static override summary = 'Replay the evidence of a bundle that a validator exported'

  static override description =
    'Checks the signature, judges every answer alone and weighs it again from its tokens and log probabilities, and compares the results with what the validator recorded; that needs no network and no key. With --engine.endpoints the reference log probabilities are computed again on an engine of your own, then the verdicts and the evidence, and the differences are told. Status 0: the record is right, and the engine confirms its reference; 1: the engine does not; 5: the bundle cannot be trusted.'

  static override usage =
    'verify BUNDLE [--signer <hotkey>] [--engine.endpoints <url|model=url>] [--json] [FLAGS]'

  static override examples = [
    '<%= config.bin %> <%= command.id %> evidence-5F3s….json',
    '<%= config.bin %> <%= command.id %> evidence-5F3s….json --engine.endpoints http://127.0.0.1:8000',
  ]

  static override args = {
    bundle: Args.string({ description: 'File to check.', required: true, ignoreStdin: true }),
  }

  static override flags = {
    ...flagsOf('verify'),
    signer: Flags.string({
      summary: 'Refuse a bundle that another hotkey signed.',
      helpValue: '<hotkey>',
      helpGroup: 'VERIFY',
    }),
  }

  run(): Promise<unknown> {
    return this.runWith('verify', (invocation) =>
      runUntilStopped({ exitWithStdin: false }, (signal) => this.#verify(invocation, signal)),
    )
  }

  async #verify({ settings, actions, args }: Invocation<'verify'>, signal: AbortSignal): Promise<unknown> {
    const { describeReplay, openBundle, replayAnswers } = await import('../bundles/index.js')
    await initSr25519()
    const { signer, bundle } = await openBundle(String(args.bundle))
    if (actions.signer !== undefined && actions.signer !== signer)
      throw new TargonError(`The bundle is signed by ${signer}.`, {
        code: 'BUNDLE_SIGNER',
        fault: 'verification',
        next: 'Compare the hotkey with that of the validator on chain.',
      })
    const { miner, model, code, exportedAt } = bundle
    const replay = await replayAnswers(miner, model, bundle.answers, { clock: systemClock, signal })
    this.#write([
      `Signed by ${signer} with targon ${code}, exported ${exportedAt}; replayed with targon ${packageVersion()}.`,
      `Miner ${miner}, model ${model}.`,
      ...describeReplay(replay),
    ])
    const engine = await this.#replayOnEngine(bundle, settings, signal)
    const { standing, ...counts } = replay
    const { level, suspicion, enforced, sentence } = standing
    return {
      ...{ signer, miner, model, code, exportedAt },
      ...counts,
      ...{ level, suspicion, enforced, sentence },
      ...(engine ? { engine } : {}),
    }
  }

  /** @returns undefined when no engine is named for the model */
  async #replayOnEngine(
    {
      miner,
      model,
      answers,
    }: Awaited<ReturnType<typeof import('../bundles/index.js')['openBundle']>>['bundle'],
    settings: Invocation<'verify'>['settings'],
    signal: AbortSignal,
  ): Promise<unknown> {
    const { openReadyEngine, parseEngineEndpoints } = await import('../engine/index.js')
    const { describeEngineReplay, replayOnEngine } = await import('../bundles/index.js')
    const items = settings['engine.endpoints'].map((one) =>
      /^https?:\/\//i.test(one) ? `${model}=${one}` : one,
    )
    const endpoint = parseEngineEndpoints(items).find((one) => one.model === model)
    if (!endpoint) return undefined
    const engine = await openReadyEngine(
      {
        ...endpoint,
        apiKey: settings['engine.api-key'],
        hubUrl: settings['engine.hub-url'],
        hubToken: settings['engine.hub-token'],
        modelDir: settings['engine.model-dir'],
        clock: systemClock,
        log: await openQuietLog('verify', settings),
      },
      '--engine.endpoints',
      signal,
    )
    try {
      const replay = await replayOnEngine(miner, model, answers, engine, { clock: systemClock, signal })
      this.#write(describeEngineReplay(replay, endpoint.urls))
      if (!replay.agrees) process.exitCode = EXIT_STATUS.runtime
      return { urls: endpoint.urls, ...replay }
    } finally {
      await engine.close()
    }
  }

  #write(lines: readonly string[]): void {
    for (const line of lines) this.log(escapeControls(line))
  }
}
