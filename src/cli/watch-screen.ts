import { type Clock, escapeControlsInLines } from '../kernel/index.js'

/** The terminal or pipe that a screen is drawn on; `process.stdout`. */
export interface ScreenOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

/**
 * Draws what `read` returns again and again until the signal aborts: in place on a terminal, whose former contents come back
 * at the end with the last picture below them; otherwise one after the other with an empty line between.
 *
 * @param read never rejects for what it shows; returns the text of one picture.
 */
export async function watchScreen(
  read: (signal: AbortSignal) => Promise<string>,
  options: {
    readonly output: ScreenOutput
    readonly intervalMs: number
    readonly clock: Clock
    readonly signal: AbortSignal
  },
): Promise<void> {
  const { output, intervalMs, clock, signal } = options
  let last = ''
  if (output.isTTY) output.write(ENTER)
  try {
    while (!signal.aborted) {
      last = escapeControlsInLines(await read(signal))
      if (signal.aborted) break
      output.write(output.isTTY ? frameOf(last, output) : `${last}\n\n`)
      await clock.sleep(intervalMs, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    if (output.isTTY) output.write(`${LEAVE}${last}\n`)
  }
}

/** A picture that fits: lines that are too long are cut rather than wrapped, and the last row tells how to leave. */
function frameOf(text: string, { columns = 80, rows = 24 }: ScreenOutput): string {
  const lines = text.split('\n')
  const room = Math.max(1, rows - 2)
  const cut = lines.length > room ? [...lines.slice(0, room - 1), '…'] : lines
  const drawn = [...cut, '', 'Ctrl-C ends.'].map((line) => cutTo(line, columns) + CLEAR_LINE)
  return HOME + drawn.slice(0, rows).join('\n') + CLEAR_BELOW
}

function cutTo(line: string, columns: number): string {
  return line.length > columns ? `${line.slice(0, Math.max(0, columns - 1))}…` : line
}
