import { type Clock, type Log, startWorkerThread } from '../../../kernel/index.js'
import type { KeepAlive } from '../../../telemetry/index.js'

/** What the main loop is doing, with the longest it may stay there without a sign of life, in seconds. */
const PHASES = {
  /** Until the first round: chain, data set, engines; one that loads a model may take as long as it likes. */
  loading: Number.POSITIVE_INFINITY,
  planning: 120,
  asking: 600,
  idle: 120,
  draining: 60,
} as const

export type Phase = keyof typeof PHASES

export interface Watchdog {
  /** The round loop moved on to another phase; its deadline, beside what is meant to pass anyway, starts now. */
  enter(phase: Phase, plannedMs?: number): void
  close(): Promise<void>
}

export interface WatchdogOptions {
  readonly clock: Clock
  readonly log: Log
  /** The loop itself must turn this often, whatever the phase. */
  readonly loopTimeoutMs?: number
  /** systemd is given a sign of life while nothing hangs, and none any more once something does. */
  readonly keepAlive?: KeepAlive | undefined
  /** Scales the deadlines of the phases: tests do not wait for minutes. */
  readonly scale?: number
}

/** Exit status of a process that its watchdog ended. */
export const WATCHDOG_EXIT = 70
const LOOP_TIMEOUT_MS = 300_000
const BEAT_MS = 1000
/** What a cell of the shared memory holds. */
const LONGEST_MS = 2 ** 31 - 1

/** What the watching side is given. */
export interface WatchOrder {
  /** [0] beats of the loop, [1] times a phase was entered, [2] its deadline in milliseconds, 0 for none. */
  readonly cells: SharedArrayBuffer
  readonly loopTimeoutMs: number
  /** Status to end the process with. */
  readonly exit: number
  readonly keepAlive: KeepAlive | undefined
}

/** Starts the watchdog; it ends the process with status 70 when the loop or a phase hangs. */
export function startWatchdog(options: WatchdogOptions): Watchdog {
  const { clock, log, scale = 1 } = options
  const cells = new SharedArrayBuffer(12)
  const shared = new Int32Array(cells)
  const { loopTimeoutMs = LOOP_TIMEOUT_MS, keepAlive } = options
  // In a thread of its own, so that a blocked event loop cannot keep it from ending the process (4.4.1's heartbeat ended
  // only its own thread).
  const worker = startWorkerThread(new URL('./watchdog-worker', import.meta.url))
  const order: WatchOrder = { cells, loopTimeoutMs, exit: WATCHDOG_EXIT, keepAlive }
  worker.postMessage(order)
  worker.on('error', (error) =>
    log.error({ event: 'watchdog-failed', error: error.message }, 'the watchdog thread failed'),
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
