import { Args, Flags } from '@oclif/core'
import { BaseCommand, type Invocation } from '../cli/index.js'
import { escapeControls, initSr25519, packageVersion, TargonError } from '../kernel/index.js'

export default class Verify extends BaseCommand {
  static override summary = 'Replay the evidence of a bundle that a validator exported'

  static override description =
    'Checks the signature, weighs every answer again from its tokens and log probabilities, and compares the result with what the validator recorded. Needs no network and no key. Whether the reference log probabilities are those of the model is for the reader to check on an engine of their own.'

  static override usage = 'verify BUNDLE [--signer <hotkey>] [--json]'

  static override examples = ['<%= config.bin %> <%= command.id %> evidence-5F3s….json']

  static override args = {
    bundle: Args.string({ description: 'File to check.', required: true, ignoreStdin: true }),
  }

  static override flags = {
    signer: Flags.string({
      summary: 'Refuse a bundle that another hotkey signed.',
      helpValue: '<hotkey>',
    }),
  }

  run(): Promise<unknown> {
    return this.runWith('update', (invocation) => this.#verify(invocation))
  }

  async #verify({ actions, args }: Invocation<'update'>): Promise<unknown> {
    const { openBundle, replayAnswers } = await import('../bundles/index.js')
    await initSr25519()
    const { signer, bundle } = await openBundle(String(args.bundle))
    if (actions.signer !== undefined && actions.signer !== signer)
      throw new TargonError(`The bundle is signed by ${signer}.`, {
        code: 'BUNDLE_SIGNER',
        fault: 'verification',
        next: 'Compare the hotkey with that of the validator on chain.',
      })
    const { miner, model, code, exportedAt } = bundle
    const { answers, gaps, standing, alarms } = replayAnswers(miner, model, bundle.answers)
    const { level, suspicion, enforced, sentence } = standing
    const lines = [
      `Signed by ${signer} with targon ${code}, exported ${exportedAt}; replayed with targon ${packageVersion()}.`,
      `Miner ${miner}, model ${model}: ${answers} answers, all as recorded.`,
      ...(gaps > 0
        ? [`${gaps} of them do not follow the one before: others were weighed between them.`]
        : []),
      ...alarms.map(({ index, alarm }) => `Answer ${index + 1} raised the alarm by ${alarm.statistic}.`),
      `Standing: ${level} (evidence 10^${enforced.toFixed(2)}, suspicion 10^${suspicion.toFixed(2)}).`,
      sentence,
    ]
    for (const line of lines) this.log(escapeControls(line))
    return {
      signer,
      miner,
      model,
      code,
      exportedAt,
      answers,
      gaps,
      alarms,
      level,
      suspicion,
      enforced,
      sentence,
    }
  }
}
