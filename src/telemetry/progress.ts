import { Writable } from 'node:stream'
import { type Clock, escapeControls, type Log } from '../kernel/index.js'

/** Displays long-running tasks: downloads, engines that load. */
export interface Progress {
  /** Updates a task; `percent` is 0 to 100 if percentages. */
  report(task: string, status: string, percent?: number): void
  /** Removes all tasks. */
  end(): void
}

/** A bar on a terminal that makes room for log lines. */
interface ProgressBar extends Progress {
  /** Clears the bar; to be called before anything else is written to the terminal. */
  clear(): void
}

const LOG_INTERVAL_MS = 15_000
const STATUS_LENGTH = 60
const BAR_LENGTH = 24
/** Brackets, spaces and percentage around the bar. */
const FRAME_LENGTH = 10
const CLEAR_LINE = '\r\u001b[K'
const CURSOR_SAVE = '\u001b7'
const CURSOR_RESTORE = '\u001b8'

/** Logs each task at most every 15 s. */
export function logProgress(log: Pick<Log, 'info'>, clock: Clock): Progress {
  const loggedAtMs = new Map<string, number>()
  return {
    report: (task, status, percent) => {
      const nowMs = clock.monotonic()
      if (nowMs - (loggedAtMs.get(task) ?? Number.NEGATIVE_INFINITY) < LOG_INTERVAL_MS) return
      loggedAtMs.set(task, nowMs)
      log.info(
        { event: 'progress', task, status, ...(percent === undefined ? {} : { percent }) },
        'task in progress',
      )
    },
    end: () => loggedAtMs.clear(),
  }
}

/** What a bar is drawn on; the width may change. */
export interface Terminal {
  write(text: string): unknown
  readonly columns?: number | undefined
}

/** Draws one bar, for the task updated last, on a terminal. */
export async function drawProgress(terminal: Terminal): Promise<ProgressBar> {
  const { default: cliProgress } = await import('cli-progress')
  const bar = new cliProgress.SingleBar({
    stream: withoutCursorMoves(terminal),
    format: '{task} [{bar}] {percentage}% {status}',
    barsize: BAR_LENGTH,
    fps: 5,
    clearOnComplete: true,
    hideCursor: null,
    // Disabling it would truncate log lines too.
    linewrap: true,
    // Signals are handled by the role.
    gracefulExit: false,
  })
  const percentages = new Map<string, number>()
  let isDrawn = false
  return {
    report: (task, status, percent) => {
      if (percent !== undefined) percentages.set(task, Math.min(100, Math.max(0, Math.floor(percent))))
      const name = escapeControls(task).slice(0, STATUS_LENGTH)
      const room = (terminal.columns ?? 80) - name.length - BAR_LENGTH - FRAME_LENGTH
      const text = escapeControls(status).slice(0, Math.max(0, Math.min(STATUS_LENGTH, room)))
      const shown = { task: name, status: text }
      const value = percentages.get(task) ?? 0
      if (isDrawn) bar.update(value, shown)
      else bar.start(100, value, shown)
      isDrawn = true
    },
    end: () => {
      percentages.clear()
      if (isDrawn) bar.stop()
      isDrawn = false
    },
    clear: () => {
      if (isDrawn) terminal.write(CLEAR_LINE)
    },
  }
}

/** Drops cursor save and restore: cli-progress would return to its first line and overwrite log lines printed since. */
function withoutCursorMoves(terminal: Terminal): Writable {
  const surface = new Writable({
    decodeStrings: false,
    write: (text: unknown, _encoding, done) => {
      if (text !== CURSOR_SAVE && text !== CURSOR_RESTORE) terminal.write(String(text))
      done()
    },
  })
  return Object.assign(surface, { isTTY: true })
}
