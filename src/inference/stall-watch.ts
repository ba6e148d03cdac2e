import type { Clock } from '../kernel/index.js'

const TICK_MS = 10
/** Shorter delays are ordinary scheduling. */
const SHORTEST_STALL_MS = 20
/** Longer than any answer may stream (`--round.hard-cap`). */
const KEEP_MS = 3_600_000

/** Remembers when the event loop stalled: a time taken after a stall may be that much later than what it is the time of. */
export interface StallWatch {
  /** Longest stall, in milliseconds, that ended after this moment of the monotonic clock or has not ended yet. */
  stallSince(monotonicMs: number): number
  /**
   * By how much something whose arrival was noted at this moment may have arrived earlier, in milliseconds; 0 unless the
   * event loop stalled just then. Stalls before and after do not count.
   */
  delayAt(monotonicMs: number): number
}

interface Stall {
  readonly start: number
  readonly end: number
}

/** Watches until the signal aborts. */
export function watchStalls(clock: Clock, signal: AbortSignal): StallWatch {
  const stalls: Stall[] = []
  let expected = clock.monotonic() + TICK_MS
  const watch = async () => {
    while (!signal.aborted) {
      expected = clock.monotonic() + TICK_MS
      await clock.sleep(TICK_MS, signal).catch(() => {})
      const now = clock.monotonic()
      if (now - expected < SHORTEST_STALL_MS) continue
      stalls.push({ start: expected, end: now })
      while (stalls[0] && stalls[0].end <= now - KEEP_MS) stalls.shift()
    }
  }
  void watch()
  /** A stall that just ended may not be recorded yet: its timer runs after this call. */
  const newestFirst = function* (): Generator<Stall> {
    const now = clock.monotonic()
    if (now - expected >= SHORTEST_STALL_MS) yield { start: expected, end: now }
    for (let index = stalls.length - 1; index >= 0; index--) {
      const stall = stalls[index]
      if (stall) yield stall
    }
  }
  return {
    stallSince: (since) => {
      let worst = 0
      for (const { start, end } of newestFirst()) {
        if (end <= since) break
        worst = Math.max(worst, end - start)
      }
      return worst
    },
    delayAt: (moment) => {
      let earliest = moment
      for (const { start, end } of newestFirst()) {
        // What arrives during a stall is read in the turn after it; that turn may be a stall as well.
        if (end + TICK_MS < earliest) break
        if (start >= earliest) continue
        const isFirst = earliest === moment
        earliest = start
        if (!isFirst) break
      }
      return moment - earliest
    },
  }
}
