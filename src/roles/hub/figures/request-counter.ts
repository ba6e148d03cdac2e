import type { RequestEnd } from '../gateway/index.js'
import { furtherAsked } from './model-traffic.js'

/** Requests since the start, by how they ended. */
export interface RequestCounts {
  readonly answered: number
  readonly refused: number
  readonly failed: number
  readonly left: number
}

/** Miners asked since the start; those after the first of a request by why. */
export interface AskedCounts {
  readonly attempts: number
  readonly failovers: number
  readonly hedges: number
}

export interface RequestCounter {
  readonly counts: () => RequestCounts
  readonly asked: () => AskedCounts
  /** Errors that users were sent, by code. */
  readonly errors: () => Readonly<Record<string, number>>
  readonly note: (end: RequestEnd) => void
}

export function createRequestCounter(): RequestCounter {
  const counts = { answered: 0, refused: 0, failed: 0, left: 0 }
  const asked = { attempts: 0, failovers: 0, hedges: 0 }
  const errors: Record<string, number> = {}
  return {
    counts: () => ({ ...counts }),
    asked: () => ({ ...asked }),
    errors: () => ({ ...errors }),
    note: (end) => {
      const { outcome, code, attempts } = end
      counts[outcome]++
      const { failovers, hedges } = furtherAsked(end)
      asked.attempts += attempts
      asked.failovers += failovers
      asked.hedges += hedges
      if (code !== undefined) errors[code] = (errors[code] ?? 0) + 1
    },
  }
}
