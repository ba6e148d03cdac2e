import { flagsOf, StatusCommand, watchFlags } from '../../cli/index.js'
import { systemClock } from '../../kernel/index.js'

export default class MinerStatus extends StatusCommand {
  static override summary =
    'Show the miner running on this machine: its standing, requests, callers and model servers'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --watch',
  ]

  static override usage = 'miner status [--watch] [--metrics.port <integer>] [--json]'

  static override flags = { ...flagsOf('miner', ['metrics.port']), ...watchFlags }

  run(): Promise<unknown> {
    return this.runWith('miner', async ({ settings, actions }) => {
      const { readLocalStatus } = await import('../../roles/index.js')
      const { minerStatus, writeMinerStatus } = await import('../../roles/miner/index.js')
      return this.show(actions, async (signal) => {
        const context = { clock: systemClock, signal }
        const status = await readLocalStatus('miner', settings['metrics.port'], minerStatus, context)
        return { document: status, write: (style) => writeMinerStatus(status, style) }
      })
    })
  }
}
