import { DeadlineError, isAbort } from './errors.js'
import { allowManyListeners } from './scoped-signal.js'

/**
 * Time as a dependency: production code never calls `Date.now`, `setTimeout` or `setInterval` directly, so that tests
 * can pass a manual clock.
 */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch; for timestamps that leave the process. */
  now(): number
  /** Monotonic clock, milliseconds; for durations. */
  monotonic(): number
  /** Resolves after `ms`; rejects with an AbortError when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, signal, true),
}

/** The same time, but its waits do not keep the process alive. */
export const detachedClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => sleep(ms, signal, false),
}

/**
 * Like the sleep of `node:timers/promises`, but a signal that aborts with an AbortError rejects with that very error: making
 * another one for each of the many deadlines that are met costs more than the timer.
 */
function sleep(ms: number, signal: AbortSignal | undefined, keepsAlive: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortErrorOf(signal))
    const onAbort = () => {
      clearTimeout(timer)
      if (signal) reject(abortErrorOf(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    if (!keepsAlive) timer.unref()
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function abortErrorOf(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  if (isAbort(reason)) return reason
  const error = new Error('The operation was aborted', { cause: reason })
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' })
}

/** The reason with which deadlines that were met end their waits; made once, because its stack is never read. */
const MET = new DOMException('The deadline was met', 'AbortError')

/** Resolves when the signal aborts, or immediately if it already has. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/**
 * Runs `work` with a signal that aborts when `signal` does or after `timeoutMs`. The returned promise settles at the
 * deadline even if `work` ignores its signal.
 *
 * @throws DeadlineError naming `what` at the deadline; the abort reason when `signal` aborts.
 */
export async function withDeadline<T>(
  clock: Clock,
  what: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  if (signal) allowManyListeners(signal)
  const settled = new AbortController()
  const inner = new AbortController()
  const expiry = clock.sleep(timeoutMs, settled.signal).then(
    () => {
      const error = new DeadlineError(what, timeoutMs)
      inner.abort(error)
      throw error
    },
    () => new Promise<never>(() => {}),
  )
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      inner.abort(signal?.reason)
      reject(signal?.reason)
    }
  })
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work(inner.signal), expiry, aborted])
  } finally {
    signal?.removeEventListener('abort', onAbort)
    settled.abort(MET)
  }
}

/**
 * Calls `job` every `intervalMs`, starting after one interval and one run at a time: a late tick is dropped, never
 * queued. An error of the job goes to `onError` and the schedule continues. Ends when the signal aborts.
 */
export async function every(
  clock: Clock,
  intervalMs: number,
  signal: AbortSignal,
  job: (signal: AbortSignal) => Promise<void>,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(intervalMs, signal)
    } catch {
      return
    }
    try {
      await job(signal)
    } catch (error) {
      if (!signal.aborted) onError(error)
    }
  }
}
