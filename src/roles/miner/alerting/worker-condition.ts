import type { Condition } from '../../../alerts/index.js'
import type { Clock } from '../../../kernel/index.js'

const WINDOW_MS = 900_000
const MANY = 3

/** Workers exit again and again; each time, callers lose their streams. @param restarts of all workers since the start */
export function workersCondition(clock: Pick<Clock, 'monotonic'>, restarts: () => number): Condition {
  let seen: { readonly at: number; readonly count: number }[] = []
  return {
    ...{ id: 'workers-exiting', severity: 'warning', forMs: 0 },
    look: () => {
      const now = { at: clock.monotonic(), count: restarts() }
      seen = [...seen.filter(({ at }) => now.at - at <= WINDOW_MS), now]
      const lately = now.count - (seen[0]?.count ?? now.count)
      if (lately < MANY) return []
      return [
        {
          sentence: `Workers of this miner exited ${lately} times in the last 15 minutes.`,
          next: 'Look for the event worker-exited in the log, and for the cause in the lines before it.',
        },
      ]
    },
  }
}
