import { Args, Flags } from '@oclif/core'
import { askPassword, BaseCommand, flagsOf, type Invocation, stateFolderOf } from '../../../cli/index.js'
import { passwordVariables } from '../../../config/index.js'
import { replaceFile, systemClock } from '../../../kernel/index.js'

export default class ValidatorEvidenceExport extends BaseCommand {
  static override summary = 'Write a signed file with which a miner can replay the evidence on its answers'

  static override description =
    'The file has the answers that led to the last alarm, or the last answers when there was none, with requests, token ids, stated and reference log probabilities, and the noise granted. It is signed with the hotkey of the validator and checked with `targon verify`.'

  static override usage =
    'validator evidence export HOTKEY [--model <name>] [--last] [--output <file>] [FLAGS]'

  static override examples = [
    '<%= config.bin %> <%= command.id %> 5F3s… --model NousResearch/Meta-Llama-3.1-8B-Instruct',
  ]

  static override args = {
    hotkey: Args.string({ description: 'Hotkey of the miner.', required: true, ignoreStdin: true }),
  }

  static override flags = {
    ...flagsOf('validator', [
      'wallet.path',
      'wallet.name',
      'wallet.hotkey',
      'wallet.password_file',
      'netuid',
      'neuron.name',
      'logging.logging_dir',
    ]),
    model: Flags.string({ summary: 'Model, when answers to several are kept.', helpValue: '<name>' }),
    last: Flags.boolean({ summary: 'Export the last answers, not those that led to an alarm.' }),
    output: Flags.string({
      summary: 'File to write.',
      helpValue: '<file>',
      defaultHelp: async () => 'evidence-<hotkey>.json',
    }),
  }

  run(): Promise<unknown> {
    return this.runWith('validator', (invocation) => this.#export(invocation))
  }

  async #export({ settings, actions, args }: Invocation<'validator'>): Promise<unknown> {
    const { loadNeuronHotkey } = await import('../../../roles/index.js')
    const { exportBundle } = await import('../../../roles/validator/index.js')
    const signer = await loadNeuronHotkey(settings, { variables: passwordVariables(), prompt: askPassword })
    const hotkey = String(args.hotkey)
    const { bundle, text } = await exportBundle({
      stateDir: stateFolderOf(settings, 'validator'),
      hotkey,
      model: actions.model === undefined ? undefined : String(actions.model),
      last: actions.last === true,
      signer,
      clock: systemClock,
    })
    const path = actions.output === undefined ? `evidence-${hotkey}.json` : String(actions.output)
    await replaceFile(path, text)
    const { model, answers } = bundle
    this.log(`Wrote ${answers.length} answers of ${hotkey} to ${model} into ${path} (${text.length} bytes).`)
    this.log(`Check it with: targon verify ${path}`)
    return { path, bytes: text.length, miner: hotkey, model, answers: answers.length, signer: signer.address }
  }
}
