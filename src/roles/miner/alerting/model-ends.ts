import { createRecentCounts, type RecentCounts } from '../../../alerts/index.js'
import type { Clock } from '../../../kernel/index.js'
import type { Outcome } from '../../../routing/index.js'

/** How the requests for each model ended in the last 15 minutes: `served` or `failed`. */
export interface ModelEnds extends Pick<RecentCounts, 'of'> {
  /** @param isServed undefined when the end says nothing about the model server. */
  note(model: string, isServed: boolean | undefined): void
}

export const END_WINDOW_MS = 900_000

export function createModelEnds(clock: Pick<Clock, 'monotonic'>): ModelEnds {
  const counts = createRecentCounts(clock, END_WINDOW_MS)
  return {
    of: counts.of,
    note: (model, served) => {
      if (served !== undefined) counts.note(model, served ? 'served' : 'failed')
    },
  }
}

/** Whether the model server did its work; undefined when the caller made that impossible. */
export function isServed(outcome: Outcome): boolean | undefined {
  if (outcome.kind === 'caller-left') return undefined
  if (outcome.kind === 'broken') return false
  if (outcome.status >= 500) return false
  return outcome.kind === 'answered' && outcome.status < 400 ? true : undefined
}
