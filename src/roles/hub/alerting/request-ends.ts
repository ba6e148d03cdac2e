import { createRecentCounts, type RecentCounts } from '../../../alerts/index.js'
import type { Clock } from '../../../kernel/index.js'

/** The part of an ended request that tells how the hub serves. */
export interface EndedRequest {
  readonly model: string | undefined
  readonly outcome: 'answered' | 'refused' | 'failed' | 'left'
  readonly code: string | undefined
}

/** How the requests for each model ended lately. */
export interface RequestEnds {
  readonly note: (end: EndedRequest) => void
  /** In the last 15 minutes, of one model or all: `answered`, or the code with which a request failed. */
  readonly recent: RecentCounts['of']
  /** Models of which a request was answered in the last day. */
  readonly usedModels: () => readonly string[]
}

export const END_WINDOW_MS = 900_000
const DAY_MS = 86_400_000
export const ANSWERED = 'answered'
/** The label under which the models themselves are counted. */
const USED = 'used'

/** Requests that users or limits are at fault for are not counted: they say nothing about the hub. */
export function createRequestEnds(clock: Pick<Clock, 'monotonic'>): RequestEnds {
  const ends = createRecentCounts(clock, END_WINDOW_MS)
  const used = createRecentCounts(clock, DAY_MS)
  return {
    note: ({ model, outcome, code }) => {
      if (outcome === 'answered') ends.note(model ?? '', ANSWERED)
      if (outcome === 'failed') ends.note(model ?? '', code ?? 'unknown')
      if (outcome === 'answered' && model !== undefined) used.note(USED, model)
    },
    recent: ends.of,
    usedModels: () => [...used.of(USED).keys()],
  }
}
