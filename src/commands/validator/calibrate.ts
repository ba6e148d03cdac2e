import { Args, Flags } from '@oclif/core'
import {
  BaseCommand,
  flagsOf,
  type Invocation,
  openCommandProgress,
  openQuietLog,
  openStateFolder,
  runUntilStopped,
} from '../../cli/index.js'
import { systemClock } from '../../kernel/index.js'

export default class ValidatorCalibrate extends BaseCommand {
  static override summary = 'Measure how much the reference engines differ from themselves, for the evidence'

  static override description =
    'Lets each engine at --engine.endpoints generate answers, greedy and sampled, short and long, and score them as it scores those of miners; where a model has several endpoints each also scores the other’s. The noise found is kept beside the scores, and a running validator uses it within a minute. Ctrl-C keeps what is done; the next run continues. A running validator does the same by itself, slowly, unless --no-evidence.calibrate is set.'

  static override usage = 'validator calibrate [MODEL] [--again] [FLAGS]'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --engine.endpoints NousResearch/Meta-Llama-3.1-8B-Instruct=http://127.0.0.1:8000/v1',
    '<%= config.bin %> <%= command.id %> NousResearch/Meta-Llama-3.1-8B-Instruct --again',
  ]

  static override args = {
    model: Args.string({ description: 'Calibrate only this model.', ignoreStdin: true }),
  }

  static override flags = {
    ...flagsOf('validator', [
      'engine.endpoints',
      'engine.api-key',
      'engine.hub-url',
      'engine.hub-token',
      'engine.model-dir',
      'evidence.calibration-answers',
      'wallet.name',
      'wallet.hotkey',
      'netuid',
      'neuron.name',
      'logging.logging_dir',
    ]),
    again: Flags.boolean({ summary: 'Measure anew what is already calibrated.' }),
  }

  run(): Promise<unknown> {
    return this.runWith('validator', (invocation) => this.#calibrate(invocation))
  }

  async #calibrate({ settings, actions, args }: Invocation<'validator'>): Promise<unknown> {
    const { calibrateModels, writeCalibration } = await import('../../roles/validator/index.js')
    const log = await openQuietLog('validator', settings)
    const progress = await openCommandProgress()
    const calibrations = await runUntilStopped({ exitWithStdin: false }, (signal) =>
      calibrateModels({
        settings,
        stateDir: openStateFolder(settings, 'validator'),
        model: args.model === undefined ? undefined : String(args.model),
        again: actions.again === true,
        clock: systemClock,
        log,
        signal,
        progress,
      }),
    )
    for (const one of calibrations) this.log(writeCalibration(one))
    return { calibrations }
  }
}
