import { type Clock, every } from '../kernel/index.js'

/** Something with a time limit; `check` acts once the limit has passed. */
export interface Timed {
  check(nowMs: number): void
}

/** One sweep over everything in flight: thousands of streams need no timer each. */
const SWEEP_MS = 250

export interface Deadlines {
  watch(item: Timed): void
  forget(item: Timed): void
}

export function createDeadlines(clock: Clock, signal: AbortSignal): Deadlines {
  const items = new Set<Timed>()
  const sweep = async () => {
    const now = clock.monotonic()
    for (const item of items) item.check(now)
  }
  void every(clock, SWEEP_MS, signal, sweep, () => {})
  return {
    watch: (item) => {
      items.add(item)
    },
    forget: (item) => {
      items.delete(item)
    },
  }
}
