import { z } from 'zod'
import { type Clock, every } from '../../../kernel/index.js'
import type { RequestCounts } from './request-counter.js'

const sample = z.object({
  /** End of the interval, ISO 8601 in UTC. */
  at: z.string(),
  /** Requests that ended in the interval, and how. */
  requests: z.number().int(),
  answered: z.number().int(),
  refused: z.number().int(),
  failed: z.number().int(),
  abandoned: z.number().int(),
  /** Requests in flight at its end. */
  inFlight: z.number().int(),
  /** Tokens per second of all model servers that count them; null when none does. */
  tokensPerSecond: z.number().nullable(),
  /** Median time to the first byte of the answers that ended in it, in milliseconds; null without one. */
  firstByteMs: z.number().nullable(),
})

/** The document of `GET /series` of a miner: the last hour of this process, oldest first. */
export const minerSeries = z.object({ intervalMs: z.number().int(), samples: z.array(sample) })

export type MinerSeries = z.output<typeof minerSeries>

const INTERVAL_MS = 5000
const KEPT = 3_600_000 / INTERVAL_MS

/** What the samples are made of. */
export interface SeriesSources {
  readonly counts: () => RequestCounts
  readonly inFlight: () => number
  readonly takeFirstBytes: () => readonly number[]
  readonly tokensPerSecond: () => readonly (number | null)[]
}

/** Samples what the miner does every five seconds until the signal aborts. */
export function startSeries(clock: Clock, sources: SeriesSources, signal: AbortSignal): () => MinerSeries {
  let samples: MinerSeries['samples'] = []
  let before = sources.counts()
  const take = async () => {
    const now = sources.counts()
    const since = (name: keyof RequestCounts) => now[name] - before[name]
    const one = {
      at: new Date(clock.now()).toISOString(),
      ...{ requests: since('requests'), answered: since('answered'), refused: since('refused') },
      ...{ failed: since('failed'), abandoned: since('abandoned'), inFlight: sources.inFlight() },
      tokensPerSecond: sumOf(sources.tokensPerSecond()),
      firstByteMs: medianOf(sources.takeFirstBytes()),
    }
    before = now
    samples = [...samples, one].slice(-KEPT)
  }
  // Nothing in it can fail.
  void every(clock, INTERVAL_MS, signal, take, () => {})
  return () => ({ intervalMs: INTERVAL_MS, samples })
}

function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}

function medianOf(values: readonly number[]): number | null {
  const middle = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]
  return middle === undefined ? null : Math.round(middle)
}
