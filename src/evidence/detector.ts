import type { Statistic } from './observation.js'
import { BETS } from './observation.js'
import { TUNING } from './tuning.js'

/** Shares of the evidence that every bet stakes. */
const STAKES = [1, TUNING.smallStake.value] as const

/**
 * Shiryaev–Roberts detectors of one statistic, one per alternative and stake: M ← (M + 1)·e with e a factor that is at most 1
 * on average for an honest server. So the expectation of M after n answers is at most n, whenever a miner turns bad later M
 * follows as if it had started then, and M - n is a supermartingale: the probability that M reaches A within N answers is at
 * most N/A (Doob). Every entry is log(1 + M), a finite number of at least 0.
 * Source: Shin, Ramdas & Rinaldo, "E-detectors", 2022.
 */
export type Detectors = number[]

export function newDetectors(statistic: Statistic): Detectors {
  return new Array<number>(BETS[statistic] * STAKES.length).fill(0)
}

/** Multiplies in one answer; detectors beyond the factors are left alone. `most` bounds the result, so that it can fall again. */
export function advance(detectors: Detectors, logFactors: readonly number[], most: number): void {
  for (const [alternative, logFactor] of logFactors.entries()) {
    for (const [index, stake] of STAKES.entries()) {
      const at = alternative * STAKES.length + index
      const current = detectors[at]
      if (current === undefined || !Number.isFinite(logFactor)) continue
      const factor =
        stake === 1 ? logFactor : Math.log(1 - stake + stake * Math.exp(Math.min(logFactor, 700)))
      detectors[at] = Math.min(most, logPlusOne(current + factor))
    }
  }
}

/** log(1 + e^x) */
function logPlusOne(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
}

/** log of the mean of numbers given by their logs. */
export function logMean(logs: readonly number[]): number {
  if (logs.length === 0) return 0
  const most = Math.max(...logs)
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / logs.length)
}
