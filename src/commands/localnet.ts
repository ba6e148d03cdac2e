import { relative } from 'node:path'
import {
  BaseCommand,
  flagsOf,
  runUntilStopped,
  selfCommand,
  unblockStandardError,
  writeJson,
} from '../cli/index.js'
import { inheritableEnvironment, type LocalnetSettings } from '../config/index.js'
import { systemClock } from '../kernel/index.js'
import type { LocalnetReport } from '../localnet/index.js'

/** Epochs to run without a terminal. */
const UNATTENDED_EPOCHS = 2
const DEFAULT_SEED = 'localnet'

export default class Localnet extends BaseCommand {
  static override summary = 'Run a complete subnet on this machine'

  static override description =
    'Starts a development chain, development engines, honest and cheating miners, and a validator, each in its own process. ' +
    'With --only chain,engine only those parts run, and the roles are started in other terminals.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --epochs 2 --json',
    '<%= config.bin %> <%= command.id %> --cheats rescored,draft',
    '<%= config.bin %> <%= command.id %> --hub',
    '<%= config.bin %> <%= command.id %> --only chain,engine --dir ./localnet',
  ]

  static override flags = flagsOf('localnet')

  run(): Promise<unknown> {
    return this.runWith('localnet', ({ settings }) =>
      runUntilStopped<unknown>({ exitWithStdin: settings['exit-with-stdin'] }, (signal) =>
        settings.only.length > 0 ? this.#serveParts(settings, signal) : this.#runAll(settings, signal),
      ),
    )
  }

  async #serveParts(settings: LocalnetSettings, signal: AbortSignal): Promise<void> {
    const { serveParts } = await import('../localnet/index.js')
    await serveParts(
      { ...settings, seed: settings.seed ?? DEFAULT_SEED },
      {
        clock: systemClock,
        program: programName(),
        signal,
        onEndpoint: (endpoint) => writeJson(endpoint, 0),
        onNote: (line) => this.logToStderr(line),
      },
    )
  }

  async #runAll(settings: LocalnetSettings, signal: AbortSignal): Promise<LocalnetReport> {
    const { openLiveDisplay, openPlainDisplay, reportOf, runLocalnet } = await import('../localnet/index.js')
    const isInteractive = process.stdout.isTTY && !this.jsonEnabled()
    const stderr = unblockStandardError()
    const display = isInteractive
      ? openLiveDisplay(process.stdout)
      : openPlainDisplay(
          (line) => stderr.write(`${line}\n`),
          (text) => this.log(text),
        )
    const last = await runLocalnet(
      {
        self: selfCommand(),
        env: inheritableEnvironment(),
        dir: settings.dir,
        seed: settings.seed ?? DEFAULT_SEED,
        blockTimeMs: settings['chain.block-time'],
        epochBlocks: settings['chain.tempo'],
        chainPort: settings['chain.port'] ?? 0,
        cheats: settings.cheats,
        miners: settings.miners,
        hub: settings.hub,
        epochs: settings.epochs ?? (isInteractive ? undefined : UNATTENDED_EPOCHS),
      },
      {
        clock: systemClock,
        signal,
        onProgress: display.note,
        onWaiting: display.waiting,
        onSnapshot: display.snapshot,
        onEnd: (snapshot) => {
          display.end(snapshot)
          if (!snapshot) display.note('Stopped before the subnet was ready.')
          display.note('Stopping the processes of the subnet.')
        },
      },
    )
    return last === undefined ? { epochs: 0, miners: [], validator: null } : reportOf(last)
  }
}

/** How to start this program from the working directory: `node bin/run.js`, or `targon` when it is installed. */
function programName(): string {
  const script = relative(process.cwd(), process.argv[1] ?? '')
  return script.endsWith('.js') ? `node ${script}` : 'targon'
}
