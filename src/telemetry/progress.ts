import { Writable } from 'node:stream'
import { type Clock, escapeControls, type Log } from '../kernel/index.js'

/** Shows what takes long: downloads, engines that load. */
export interface Progress {
  /** What a task says last; `percent` 0 … 100 when it is known. */
  report(task: string, status: string, percent?: number): void
  /** Nothing is under way any more. */
  end(): void
}

/** A bar on a terminal, which gives way to lines of the log. */
interface ProgressBar extends Progress {
  /** To be called before anything else is written to the terminal. */
  giveWay(): void
}

const LOG_INTERVAL_MS = 15_000
const STATUS_LENGTH = 60
const BAR_LENGTH = 24
/** Brackets, spaces and the percentage beside the bar. */
const FRAME_LENGTH = 10
const CLEAR_LINE = '\r\u001b[K'
const CURSOR_SAVE = '\u001b7'
const CURSOR_RETURN = '\u001b8'

/** One line of the log per task and 15 s, for where nobody watches. */
export function logProgress(log: Pick<Log, 'info'>, clock: Clock): Progress {
  const saidAtMs = new Map<string, number>()
  return {
    report: (task, status, percent) => {
      const nowMs = clock.monotonic()
      if (nowMs - (saidAtMs.get(task) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL_MS) return
      saidAtMs.set(task, nowMs)
      log.info({ event: 'progress', task, status, ...(percent === undefined ? {} : { percent }) }, 'progress')
    },
    end: () => saidAtMs.clear(),
  }
}

/** One bar for the task that spoke last, on a stream that is a terminal. */
export async function drawProgress(
  terminal: NodeJS.WritableStream & { readonly columns?: number },
): Promise<ProgressBar> {
  const { default: cliProgress } = await import('cli-progress')
  const bar = new cliProgress.SingleBar({
    stream: withoutReturns(terminal),
    format: '{task} [{bar}] {percentage}% {status}',
    barsize: BAR_LENGTH,
    fps: 5,
    clearOnComplete: true,
    hideCursor: null,
    // Switching it off would cut the lines of the log too.
    linewrap: true,
    // The role has its own way of ending.
    gracefulExit: false,
  })
  const known = new Map<string, number>()
  let isDrawn = false
  return {
    report: (task, status, percent) => {
      if (percent !== undefined) known.set(task, Math.min(100, Math.max(0, Math.floor(percent))))
      const name = escapeControls(task).slice(0, STATUS_LENGTH)
      const room = (terminal.columns ?? 80) - name.length - BAR_LENGTH - FRAME_LENGTH
      const text = escapeControls(status).slice(0, Math.max(0, Math.min(STATUS_LENGTH, room)))
      const shown = { task: name, status: text }
      const value = known.get(task) ?? 0
      if (isDrawn) bar.update(value, shown)
      else bar.start(100, value, shown)
      isDrawn = true
    },
    end: () => {
      known.clear()
      if (isDrawn) bar.stop()
      isDrawn = false
    },
    giveWay: () => {
      if (isDrawn) terminal.write(CLEAR_LINE)
    },
  }
}

/** cli-progress returns at the end to where it began, which by then may be a line of the log that it would wipe out. */
function withoutReturns(terminal: NodeJS.WritableStream): Writable {
  const surface = new Writable({
    decodeStrings: false,
    write: (text: unknown, _encoding, done) => {
      if (text !== CURSOR_SAVE && text !== CURSOR_RETURN) terminal.write(String(text))
      done()
    },
  })
  return Object.assign(surface, { isTTY: true })
}
