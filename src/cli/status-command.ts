import { Flags } from '@oclif/core'
import { escapeControlsInLines, systemClock, TargonError } from '../kernel/index.js'
import { BaseCommand } from './base-command.js'
import { errorDocument, writeJson } from './output.js'
import { runUntilStopped } from './shutdown.js'
import { formatTable } from './table.js'
import { watchScreen } from './watch-screen.js'

const DEFAULT_INTERVAL_S = 2

/** Flags of a command that shows the state of something that runs. */
export const watchFlags = {
  watch: Flags.boolean({
    summary: 'Show it again and again until Ctrl-C; with --json one line each time.',
    helpGroup: 'STATUS',
  }),
  interval: Flags.integer({
    summary: `Seconds between two looks of --watch. [default: ${DEFAULT_INTERVAL_S}]`,
    helpGroup: 'STATUS',
    helpValue: '<n>',
    min: 1,
    max: 3600,
    dependsOn: ['watch'],
  }),
}

/** What was read, as the document of `--json` and as text. */
export interface StatusPicture {
  readonly document: unknown
  readonly write: (style: {
    /** Wall-clock milliseconds. */
    readonly now: number
    /** Lines of the terminal; undefined for a pipe or file. */
    readonly rows: number | undefined
    /** Characters of a line there. */
    readonly columns: number | undefined
    readonly formatTable: typeof formatTable
  }) => string
}

/** A command that shows what `read` returns, once or repeatedly. */
export abstract class StatusCommand extends BaseCommand {
  protected show(
    actions: Readonly<Record<string, unknown>>,
    read: (signal: AbortSignal) => Promise<StatusPicture>,
  ): Promise<unknown> {
    return runUntilStopped({ exitWithStdin: false }, async (signal) => {
      if (actions.watch !== true) {
        const picture = await read(signal)
        this.log(escapeControlsInLines(textOf(picture)))
        return picture.document
      }
      const intervalMs = Number(actions.interval ?? DEFAULT_INTERVAL_S) * 1000
      const isJson = this.jsonEnabled()
      // The lines of JSON are written here, as a pipe of which each picture is one line.
      const output = isJson ? { write: () => {} } : process.stdout
      const look = (inner: AbortSignal) => (isJson ? printLine(read, inner) : describe(read, inner))
      await watchScreen(look, { output, intervalMs, clock: systemClock, signal })
      return undefined
    })
  }

  /** With --watch the documents are already printed. */
  protected override logJson(document: unknown): void {
    if (document !== undefined) super.logJson(document)
  }
}

function textOf({ write }: StatusPicture): string {
  const { isTTY, rows, columns } = process.stdout
  const size = isTTY ? { rows, columns } : { rows: undefined, columns: undefined }
  return write({ now: systemClock.now(), ...size, formatTable })
}

/** A neuron that does not respond is shown as such: it may be restarting. */
async function describe(
  read: (signal: AbortSignal) => Promise<StatusPicture>,
  signal: AbortSignal,
): Promise<string> {
  try {
    return textOf(await read(signal))
  } catch (error) {
    if (!(error instanceof TargonError)) throw error
    return [error.message, error.next].filter(Boolean).join(' ')
  }
}

async function printLine(
  read: (signal: AbortSignal) => Promise<StatusPicture>,
  signal: AbortSignal,
): Promise<string> {
  try {
    writeJson((await read(signal)).document, 0)
  } catch (error) {
    if (!(error instanceof TargonError)) throw error
    writeJson(errorDocument(error), 0)
  }
  return ''
}
