import type { Clock } from '../kernel/index.js'

const TICK_MS = 10
/** Shorter delays are ordinary scheduling. */
const SHORTEST_STALL_MS = 20
/** Longer than any answer may stream (`--round.hard-cap`). */
const KEEP_MS = 3_600_000

/** Remembers when the event loop stalled: arrival times taken across a stall say nothing about a miner. */
export interface StallWatch {
  /** Longest stall, in milliseconds, that ended after this moment of the monotonic clock or has not ended yet. */
  stallSince(monotonicMs: number): number
}

/** Watches until the signal aborts. */
export function watchStalls(clock: Clock, signal: AbortSignal): StallWatch {
  const stalls: { readonly end: number; readonly ms: number }[] = []
  let expected = clock.monotonic() + TICK_MS
  const watch = async () => {
    while (!signal.aborted) {
      expected = clock.monotonic() + TICK_MS
      await clock.sleep(TICK_MS, signal).catch(() => {})
      const now = clock.monotonic()
      if (now - expected < SHORTEST_STALL_MS) continue
      stalls.push({ end: now, ms: now - expected })
      while (stalls[0] && stalls[0].end <= now - KEEP_MS) stalls.shift()
    }
  }
  void watch()
  return {
    stallSince: (since) => {
      // A stall that just ended may not be recorded yet: its timer runs after this call.
      let worst = Math.max(0, clock.monotonic() - expected)
      if (worst < SHORTEST_STALL_MS) worst = 0
      for (const { end, ms } of stalls) if (end > since) worst = Math.max(worst, ms)
      return worst
    },
  }
}
