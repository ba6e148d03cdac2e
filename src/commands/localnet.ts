import { createLogUpdate } from 'log-update'
import { BaseCommand, flagsOf, runUntilStopped, selfCommand, writeJson } from '../cli/index.js'
import { inheritableEnvironment, type LocalnetSettings } from '../config/index.js'
import { systemClock } from '../kernel/index.js'
import type { LocalnetReport, Snapshot } from '../localnet/index.js'

/** Epochs of a run nobody watches. */
const UNWATCHED_EPOCHS = 2
const DEFAULT_SEED = 'localnet'

export default class Localnet extends BaseCommand {
  static override summary = 'Run a whole subnet on this machine'

  static override description =
    'A development chain, development engines, honest and cheating miners, and a validator, each in a process of its own. ' +
    'With --only chain,engine just those run; start the roles in other terminals against them.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --epochs 2 --json',
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
        signal,
        onEndpoint: (endpoint) => writeJson(endpoint, 0),
        onNote: (line) => this.logToStderr(line),
      },
    )
  }

  async #runAll(settings: LocalnetSettings, signal: AbortSignal): Promise<LocalnetReport> {
    const { renderBoard, reportOf, runLocalnet } = await import('../localnet/index.js')
    const watched = process.stdout.isTTY && !this.jsonEnabled()
    const show = await this.#openDisplay(watched)
    const last = await runLocalnet(
      {
        self: selfCommand(),
        env: inheritableEnvironment(),
        dir: settings.dir,
        seed: settings.seed ?? DEFAULT_SEED,
        blockTimeMs: settings['chain.block-time'],
        epochBlocks: settings['chain.tempo'],
        chainPort: settings['chain.port'] ?? 0,
        epochs: settings.epochs ?? (watched ? undefined : UNWATCHED_EPOCHS),
      },
      { clock: systemClock, signal, onProgress: show.note, onSnapshot: show.snapshot },
    )
    show.end()
    if (last === undefined) return { epochs: 0, miners: [], validator: null }
    this.log(renderBoard(last, { fancy: watched }))
    return reportOf(last)
  }

  /** A live board on a terminal, plain lines on stderr otherwise. */
  async #openDisplay(watched: boolean) {
    const { narrateChange, renderBoard } = await import('../localnet/index.js')
    const note = (line: string) => void process.stderr.write(`${line}\n`)
    if (!watched) {
      let before: Snapshot | undefined
      const snapshot = (now: Snapshot) => {
        for (const line of narrateChange(before, now)) note(line)
        before = now
      }
      return { note, snapshot, end: () => {} }
    }
    const board = createLogUpdate(process.stdout)
    const snapshot = (now: Snapshot) => board(`${renderBoard(now, { fancy: true })}\nCtrl-C ends the subnet.`)
    return { note, snapshot, end: () => board.clear() }
  }
}
