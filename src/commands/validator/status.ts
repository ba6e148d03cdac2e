import { flagsOf, StatusCommand, watchFlags } from '../../cli/index.js'
import { systemClock } from '../../kernel/index.js'

export default class ValidatorStatus extends StatusCommand {
  static override summary =
    'Show the validator running on this machine: its standing, rounds, verdicts, weights, engines and miners'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --watch',
  ]

  static override usage = 'validator status [--watch] [--metrics.port <integer>] [--json]'

  static override flags = { ...flagsOf('validator', ['metrics.port']), ...watchFlags }

  run(): Promise<unknown> {
    return this.runWith('validator', async ({ settings, actions }) => {
      const { readLocalStatus } = await import('../../roles/index.js')
      const { validatorStatus, writeValidatorStatus } = await import('../../roles/validator/index.js')
      return this.show(actions, async (signal) => {
        const context = { clock: systemClock, signal }
        const status = await readLocalStatus('validator', settings['metrics.port'], validatorStatus, context)
        return { document: status, write: (style) => writeValidatorStatus(status, style) }
      })
    })
  }
}
