import { flagsOf, StatusCommand, watchFlags } from '../../cli/index.js'
import { systemClock } from '../../kernel/index.js'

export default class HubStatus extends StatusCommand {
  static override summary =
    'Show the hub running on this machine: its requests by model, keys, organics and miners'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --watch',
  ]

  static override usage = 'hub status [--watch] [--metrics.port <integer>] [--json]'

  static override flags = { ...flagsOf('hub', ['metrics.port']), ...watchFlags }

  run(): Promise<unknown> {
    return this.runWith('hub', async ({ settings, actions }) => {
      const { readLocalStatus } = await import('../../roles/index.js')
      const { hubStatus, writeHubStatus } = await import('../../roles/hub/index.js')
      return this.show(actions, async (signal) => {
        const context = { clock: systemClock, signal }
        const status = await readLocalStatus('hub', settings['metrics.port'], hubStatus, context)
        return { document: status, write: (style) => writeHubStatus(status, style) }
      })
    })
  }
}
