import { flagsOf, type Invocation, StatusCommand, watchFlags } from '../cli/index.js'
import { systemClock } from '../kernel/index.js'

export default class Status extends StatusCommand {
  static override summary = 'Show the miner, the validator and the hub running on this machine'

  static override description =
    'Asks the status ports of all, 9100, 9101 and 9102 unless --metrics.port names one. targon miner status, targon validator status and targon hub status show one of them.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --watch --interval 10',
  ]

  static override usage = 'status [--watch] [--metrics.port <integer>] [--json]'

  static override flags = { ...flagsOf('miner', ['metrics.port']), ...watchFlags }

  run(): Promise<unknown> {
    return this.runWith('miner', async (miner) => {
      const validator: Invocation<'validator'> = await this.readInvocation('validator')
      const hub: Invocation<'hub'> = await this.readInvocation('hub')
      // The same sources were read for the miner, and their warnings are printed.
      validator.onWarned()
      hub.onWarned()
      const ports = [miner, validator, hub].map(({ settings }) => settings['metrics.port'])
      const { readNeurons } = await import('../roles/index.js')
      const { writeHubStatus } = await import('../roles/hub/index.js')
      const { writeMinerStatus } = await import('../roles/miner/index.js')
      const { writeValidatorStatus } = await import('../roles/validator/index.js')
      return this.show(miner.actions, async (signal) => {
        const found = await readNeurons(ports, { clock: systemClock, signal })
        return {
          document: found,
          write: (style) => {
            // Several tables share the screen.
            const tables = Object.values(found).filter((status) => status !== null).length
            const fitted = { ...style, rows: style.rows && style.rows / tables }
            return [
              found.validator ? writeValidatorStatus(found.validator, fitted) : [],
              found.miner ? writeMinerStatus(found.miner, fitted) : [],
              found.hub ? writeHubStatus(found.hub, fitted) : [],
            ]
              .flat()
              .join('\n\n')
          },
        }
      })
    })
  }
}
