import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../kernel/index.js'
import type { StreamLimits } from './limits.js'
import type { StreamFault } from './types.js'

/** How long the end of the response may take after its last event. */
const DRAIN_MS = 1000

/** The deadlines of one exchange, watched by a single sleep that moves on as the stream does. */
export interface StreamWatch {
  written(atMs: number): void
  progress(atMs: number): void
  /** The last event was read; only the end of the response is still to come. */
  drain(atMs: number): void
  readonly draining: boolean
  readonly drainedMs: number | undefined
  stop(): void
}

/** @param onDue called once with the fault of the deadline that passed; undefined when only the drain was cut. */
export function createStreamWatch(
  clock: Clock,
  limits: StreamLimits,
  startMs: number,
  onDue: (fault: StreamFault | undefined) => void,
): StreamWatch {
  const stopped = new AbortController()
  let sleeping = new AbortController()
  let wakeMs = Number.POSITIVE_INFINITY
  let writtenMs: number | undefined
  let progressMs: number | undefined
  let drainedMs: number | undefined

  function due(): { atMs: number; fault: StreamFault | undefined } {
    const timeout = (detail: string): StreamFault => ({ cause: 'TIMEOUT', detail })
    if (drainedMs !== undefined) return { atMs: drainedMs + DRAIN_MS, fault: undefined }
    if (writtenMs === undefined) {
      return {
        atMs: startMs + limits.connectMs,
        fault: timeout(`no connection within ${limits.connectMs} ms`),
      }
    }
    const capMs = writtenMs + limits.totalMs
    const stepMs = progressMs === undefined ? writtenMs + limits.firstTokenMs : progressMs + limits.gapMs
    if (capMs <= stepMs) return { atMs: capMs, fault: timeout(`not finished within ${limits.totalMs} ms`) }
    if (progressMs === undefined) {
      return { atMs: stepMs, fault: timeout(`no token within ${limits.firstTokenMs} ms`) }
    }
    return { atMs: stepMs, fault: { cause: 'BAD_STREAM', detail: `no token for ${limits.gapMs} ms` } }
  }

  async function watch(): Promise<void> {
    while (!stopped.signal.aborted) {
      sleeping = new AbortController()
      wakeMs = due().atMs
      const waitMs = wakeMs - clock.monotonic()
      if (waitMs > 0) await clock.sleep(waitMs, sleeping.signal).catch(() => {})
      // The timer may be late because this process was busy: bytes that are already here count first.
      await nextTurn()
      if (stopped.signal.aborted) return
      const { atMs, fault } = due()
      if (clock.monotonic() >= atMs) return onDue(fault)
    }
  }

  /** A sleep towards a later deadline than the new one must not go on. */
  function rearm(): void {
    if (due().atMs < wakeMs) sleeping.abort()
  }

  void watch()
  return {
    written: (atMs) => {
      writtenMs = atMs
      rearm()
    },
    progress: (atMs) => {
      const first = progressMs === undefined
      progressMs = atMs
      // Later ones only move the deadline on.
      if (first) rearm()
    },
    drain: (atMs) => {
      drainedMs = atMs
      rearm()
    },
    get draining() {
      return drainedMs !== undefined
    },
    get drainedMs() {
      return drainedMs
    },
    stop: () => {
      stopped.abort()
      sleeping.abort()
    },
  }
}
