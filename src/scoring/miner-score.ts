import { type Result, safeMeanScore, WINDOW } from './arithmetic.js'

/** What one miner's score is made of. */
export interface MinerRecord {
  /** Results by model, oldest first. */
  readonly results: ReadonlyMap<string, readonly Result[]>
  /** Organic results of the current epoch: tokens per second, penalties (negative) and misses. */
  readonly organics: readonly Result[]
}

/**
 * 4.4.1 math.py get_weights for one miner: organic mean + the means of the last 15 results of each model that is both
 * served now and wanted, added in the order served. A model listed twice counts twice, as it did: callers pass
 * canonical lists. May be negative.
 */
export function rawScore(
  record: MinerRecord,
  served: readonly string[],
  wanted: ReadonlySet<string>,
): number {
  let score = safeMeanScore(record.organics)
  for (const model of served) {
    const results = wanted.has(model) ? record.results.get(model) : undefined
    if (results) score += safeMeanScore(results.slice(-WINDOW))
  }
  return score
}
