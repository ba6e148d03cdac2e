import { type Result, safeMeanScore, WINDOW } from './arithmetic.js'

/** The results a miner's score is computed from. */
export interface MinerRecord {
  /** Results by model, oldest first. */
  readonly results: ReadonlyMap<string, readonly Result[]>
  /** Organic results of the current epoch: tokens per second, penalties (negative) and misses. */
  readonly organics: readonly Result[]
}

/**
 * The score of one miner by 4.4.1 math.py get_weights: organic mean + the means of the last 15 results of each model that it
 * serves and that is active, in the order served. May be negative. A model listed twice counts twice, as in 4.4.1, so
 * callers must pass deduplicated lists.
 */
export function rawScore(
  record: MinerRecord,
  served: readonly string[],
  active: ReadonlySet<string>,
): number {
  let score = safeMeanScore(record.organics)
  for (const model of served) {
    const results = active.has(model) ? record.results.get(model) : undefined
    if (results) score += safeMeanScore(results.slice(-WINDOW))
  }
  return score
}
