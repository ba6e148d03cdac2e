import { scaleForMismatches } from './estimates.js'
import { readMarginSums } from './margins.js'
import type { Noise } from './noise.js'
import type { Observation } from './observation.js'
import { TUNING } from './tuning.js'

/** What honest answers showed, before any safety factor. */
export interface MeasuredNoise extends Noise {
  readonly answers: number
  /** Tokens whose draw was compared (greedy or seeded), how many of them differed, and telling tokens with log probabilities. */
  readonly drawn: number
  readonly mismatches: number
  readonly stated: number
}

/** Answers with fewer telling tokens have no mean worth a quantile. */
const FEWEST_STATED = 20

/**
 * The noise of honest answers, for instance of the validator's own engines: observations made at any levels.
 * `residual` is the mean residual that 99 % of the answers stay below, because R bets per token and needs a bound for every
 * answer. `logitScale` is the scale at which as many tokens would differ as did, plus two standard deviations, and at least the
 * scale that 99 % of the answers stay below: noise may be uneven, and S and G bet per token too. An answer has few tokens that
 * differ, so its scale is the least at which its count is no worse than one in a hundred.
 */
export function measureNoise(observations: readonly Observation[]): MeasuredNoise {
  const expected: number[] = []
  const means: number[] = []
  const scales: number[] = []
  let [drawn, mismatches, stated, far, farMismatches] = [0, 0, 0, 0, 0]
  for (const { statistics, synchrony } of observations) {
    const draws = synchrony === 'yes' ? statistics.seeded : statistics.greedy
    if (draws) {
      const sums = readMarginSums(draws.sums)
      drawn += draws.tokens
      mismatches += sums.mismatches
      scales.push(scaleForMismatches(leastMean(sums.mismatches), sums.expected))
      far += sums.far
      farMismatches += sums.farMismatches
      for (const [index, value] of sums.expected.entries()) expected[index] = (expected[index] ?? 0) + value
    }
    const { residual } = statistics
    stated += residual?.tokens ?? 0
    if (residual && residual.tokens >= FEWEST_STATED) means.push((residual.sums[0] ?? 0) / residual.tokens)
  }
  const pooled = scaleForMismatches(upper(mismatches), expected)
  return {
    logitScale: drawn === 0 ? TUNING.floorLogitScale.value : Math.max(pooled, nearlyMost(scales) ?? 0),
    residual: nearlyMost(means) ?? TUNING.floorResidual.value,
    unexplained: far === 0 ? 0 : upper(farMismatches) / far,
    ...{ answers: observations.length, drawn, mismatches, stated },
  }
}

/** The value that 99 % of the values stay below; undefined without any. */
function nearlyMost(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1]
}

/** Standard deviations of the 99 % quantile. */
const Z_99 = 2.326

/**
 * The least mean of a Poisson distribution that gives this count or more in one case of a hundred (Wilson & Hilferty, "The
 * distribution of chi-square", 1931).
 */
function leastMean(count: number): number {
  if (count === 0) return 0
  return count * Math.max(0, 1 - 1 / (9 * count) - Z_99 / (3 * Math.sqrt(count))) ** 3
}

/** A count of rare events plus two standard deviations; 0 when none were seen, since the least noise is granted anyway. */
function upper(count: number): number {
  return count === 0 ? 0 : count + 2 * Math.sqrt(count)
}
