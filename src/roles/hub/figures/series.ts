import { z } from 'zod'
import { type Clock, every } from '../../../kernel/index.js'
import type { RequestEnd } from '../gateway/index.js'
import { furtherAsked } from './model-traffic.js'

const sample = z.object({
  /** End of the interval, ISO 8601 in UTC. */
  at: z.string(),
  /** Requests that ended in the interval, and how. */
  requests: z.number().int(),
  answered: z.number().int(),
  refused: z.number().int(),
  failed: z.number().int(),
  left: z.number().int(),
  /** Miners asked after the first of a request, because it had failed or was slow. */
  failovers: z.number().int(),
  hedges: z.number().int(),
  /** Requests in flight at its end. */
  inFlight: z.number().int(),
  /** Tokens of the answers that ended in it, per second of the interval. */
  tokensPerSecond: z.number(),
  /** Median time to the first token of the answers that ended in it, in milliseconds; null without one. */
  firstTokenMs: z.number().nullable(),
})

/** The document of `GET /series` of a hub: the last hour of this process, oldest first. */
export const hubSeries = z.object({ intervalMs: z.number().int(), samples: z.array(sample) })

export type HubSeries = z.output<typeof hubSeries>

const INTERVAL_MS = 5000
const KEPT = 3_600_000 / INTERVAL_MS
/** Times of one interval that its median is taken of. */
const MAX_TIMES = 4096

export interface Series {
  readonly note: (end: RequestEnd) => void
  readonly document: () => HubSeries
}

/** Samples what the hub does every five seconds until the signal aborts. */
export function startSeries(clock: Clock, inFlight: () => number, signal: AbortSignal): Series {
  let samples: HubSeries['samples'] = []
  let current = noSums()
  const take = async () => {
    const { times, tokens, ...counts } = current
    current = noSums()
    const one = {
      ...{ at: new Date(clock.now()).toISOString(), ...counts, inFlight: inFlight() },
      tokensPerSecond: (1000 * tokens) / INTERVAL_MS,
      firstTokenMs: medianOf(times),
    }
    samples = [...samples, one].slice(-KEPT)
  }
  // Nothing in it can fail.
  void every(clock, INTERVAL_MS, signal, take, () => {})
  return {
    note: (end) => {
      const { failovers, hedges } = furtherAsked(end)
      current.requests++
      current[end.outcome]++
      current.failovers += failovers
      current.hedges += hedges
      current.tokens += end.tokens
      if (end.firstTokenMs !== undefined && current.times.length < MAX_TIMES)
        current.times.push(end.firstTokenMs)
    },
    document: () => ({ intervalMs: INTERVAL_MS, samples }),
  }
}

function noSums() {
  return {
    ...{ requests: 0, answered: 0, refused: 0, failed: 0, left: 0, failovers: 0, hedges: 0, tokens: 0 },
    times: [] as number[],
  }
}

function medianOf(values: readonly number[]): number | null {
  const middle = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
  return middle === undefined ? null : Math.round(middle)
}
