import { type Clock, type Log, startWorkerThread } from '../../../kernel/index.js'
import type { KeepAlive } from '../../../telemetry/index.js'

/** Phases of the round loop, with the longest time in seconds it may stay in one without entering the next. */
const PHASES = {
  /** Until the first round: chain, data set, engines; loading a model may take any time. */
  loading: Number.POSITIVE_INFINITY,
  planning: 120,
  querying: 600,
  idle: 120,
  draining: 60,
} as const

export type Phase = keyof typeof PHASES

export interface Watchdog {
  /** The round loop entered a phase; its deadline, extended by the time that is planned to pass, starts now. */
  enter(phase: Phase, plannedMs?: number): void
  close(): Promise<void>
}

export interface WatchdogOptions {
  readonly clock: Clock
  readonly log: Log
  /** The event loop must turn at least this often, in any phase. */
  readonly loopTimeoutMs?: number
  /** Notifies systemd as long as nothing hangs. */
  readonly keepAlive?: KeepAlive | undefined
  /** Scales the deadlines of the phases, so that tests need not wait for minutes. */
  readonly scale?: number
}

/** Exit status of a process ended by its watchdog. */
export const WATCHDOG_EXIT = 70
const LOOP_TIMEOUT_MS = 300_000
const BEAT_MS = 1000
/** Largest value of a cell of the shared memory. */
const LONGEST_MS = 2 ** 31 - 1

/** What the watchdog thread is given. */
export interface WatchOrder {
  /** [0] beats of the event loop, [1] phases entered so far, [2] deadline of the phase in milliseconds, 0 for none. */
  readonly cells: SharedArrayBuffer
  readonly loopTimeoutMs: number
  /** Exit status of the process. */
  readonly exit: number
  readonly keepAlive: KeepAlive | undefined
}

/** Starts the watchdog; it ends the process with status 70 when the loop or a phase hangs. */
export function startWatchdog(options: WatchdogOptions): Watchdog {
  const { clock, log, scale = 1 } = options
  const cells = new SharedArrayBuffer(12)
  const shared = new Int32Array(cells)
  const { loopTimeoutMs = LOOP_TIMEOUT_MS, keepAlive } = options
  // A thread of its own can end the process even if the event loop is blocked (4.4.1's heartbeat ended only its own thread).
  const worker = startWorkerThread(new URL('./watchdog-worker', import.meta.url))
  const order: WatchOrder = { cells, loopTimeoutMs, exit: WATCHDOG_EXIT, keepAlive }
  worker.postMessage(order)
  worker.on('error', (error) =>
    log.error({ event: 'watchdog-failed', err: error }, 'the watchdog thread failed'),
  )
  const stopped = new AbortController()
  const beat = async () => {
    while (!stopped.signal.aborted) {
      Atomics.add(shared, 0, 1)
      await clock.sleep(Math.min(BEAT_MS, loopTimeoutMs / 10), stopped.signal).catch(() => {})
    }
  }
  void beat()
  const enter = (phase: Phase, plannedMs = 0) => {
    const ms = PHASES[phase] * 1000 * scale + plannedMs
    Atomics.add(shared, 1, 1)
    Atomics.store(shared, 2, Number.isFinite(ms) ? Math.min(LONGEST_MS, Math.round(ms)) : 0)
  }
  enter('loading')
  return {
    enter,
    close: async () => {
      stopped.abort()
      await worker.terminate()
    },
  }
}
