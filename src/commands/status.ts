import { flagsOf, type Invocation, StatusCommand, watchFlags } from '../cli/index.js'
import { systemClock } from '../kernel/index.js'

export default class Status extends StatusCommand {
  static override summary = 'Show the miner and the validator running on this machine'

  static override description =
    'Asks the status ports of both, 9100 and 9101 unless --metrics.port names one. targon miner status and targon validator status show one of them.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --watch --interval 10',
  ]

  static override usage = 'status [--watch] [--metrics.port <integer>] [--json]'

  static override flags = { ...flagsOf('miner', ['metrics.port']), ...watchFlags }

  run(): Promise<unknown> {
    return this.runWith('miner', async (miner) => {
      const validator: Invocation<'validator'> = await this.readInvocation('validator')
      // The same sources were read for the miner, and their warnings are printed.
      validator.onWarned()
      const ports = [miner, validator].map(({ settings }) => settings['metrics.port'])
      const { readNeurons } = await import('../roles/index.js')
      const { writeMinerStatus } = await import('../roles/miner/index.js')
      const { writeValidatorStatus } = await import('../roles/validator/index.js')
      return this.show(miner.actions, async (signal) => {
        const found = await readNeurons(ports, { clock: systemClock, signal })
        return {
          document: found,
          write: (style) => {
            // Two tables share the screen.
            const half = found.miner && found.validator && style.rows ? style.rows / 2 : style.rows
            const fitted = { ...style, rows: half }
            return [
              found.validator ? writeValidatorStatus(found.validator, fitted) : [],
              found.miner ? writeMinerStatus(found.miner, fitted) : [],
            ]
              .flat()
              .join('\n\n')
          },
        }
      })
    })
  }
}
