import { at, findToken } from '../distributions.js'
import type { NoiseLevels } from '../noise.js'
import type { StatisticObservation } from '../observation.js'
import type { PreparedAnswer } from '../prepared-answer.js'
import { TUNING } from '../tuning.js'

/** Bets per nat of surprise above the expected. */
const RATES = [0.05, 0.15, 0.3] as const
/** The largest share of the evidence that a token can lose. */
const MOST_LOST = 0.9
const LARGEST_NOISE = 0.5

/**
 * E, the surprise excess: X = min(-log p, limit) of each sampled token against its expectation. Within the top list p is the
 * token's share of the list, which is known exactly; all tokens outside count as one event with a fixed surprise that is at
 * least the list's own, and with the largest probability the unseen tail can have, so that the expectation is an upper bound.
 * The factor is 1 + λ·(X - expectation - slack), at most 1 on average. Noise of variance v on logit/temperature adds
 * v·Σp(Σp² - p)(-log p) to the expectation (second order); half of v·(1 - Σp²) more is allowed. It sees text of another model or
 * a hotter one even from servers that follow no seed and whose log probabilities were rescored.
 */
export function observeSurprise(
  answer: PreparedAnswer,
  levels: NoiseLevels,
): StatisticObservation | undefined {
  const { isGreedy, isCut, samplingTemperature, length } = answer
  if (isGreedy || isCut) return undefined
  const variances = [levels.suspicion, levels.enforced].map(
    ({ logitScale }) => (logitScale / samplingTemperature) ** 2,
  )
  if (variances.some((variance) => !(variance < LARGEST_NOISE ** 2))) return undefined
  const bets = variances.map(() => RATES.map(() => 0))
  const sums = [0, 0]
  let tokens = 0
  for (let position = 0; position < length; position++) {
    const expected = expectedSurprise(answer, position)
    if (!expected) continue
    tokens++
    const excess = surpriseOf(answer, position, expected) - expected.mean
    sums[0] = (sums[0] ?? 0) + excess
    sums[1] = (sums[1] ?? 0) + expected.variance
    for (const [level, variance] of variances.entries()) {
      const slack = variance * expected.noise
      const levelBets = bets[level] ?? []
      for (const [index, rate] of RATES.entries()) {
        const bounded = Math.min(rate, MOST_LOST / (expected.mean + slack))
        levelBets[index] = (levelBets[index] ?? 0) + Math.log1p(bounded * (excess - slack))
      }
    }
  }
  const [suspicion = [], enforced = []] = bets
  return tokens === 0 ? undefined : { tokens, suspicion, enforced, sums }
}

interface Expected {
  readonly mean: number
  readonly variance: number
  /** Nats of surprise that noise of variance 1 adds. */
  readonly noise: number
  /** Probability of the list, at least. */
  readonly listed: number
  /** Surprise of a token outside the list. */
  readonly outside: number
}

function expectedSurprise({ top, sampling }: PreparedAnswer, position: number): Expected | undefined {
  const [start, end] = [at(top.starts, position), at(top.starts, position + 1)]
  let listed = 0
  for (let entry = start; entry < end; entry++) listed += at(sampling.probabilities, entry)
  if (!(listed > 1e-9)) return undefined
  let [mean, meanSquare, squares] = [0, 0, 0]
  for (let entry = start; entry < end; entry++) {
    const share = at(sampling.probabilities, entry) / listed
    const surprise = limited(-Math.log(share))
    mean += share * surprise
    meanSquare += share * surprise * surprise
    squares += share * share
  }
  let lean = 0
  for (let entry = start; entry < end; entry++) {
    const share = at(sampling.probabilities, entry) / listed
    lean += share * (squares - share) * limited(-Math.log(share))
  }
  const tail = Math.max(0, 1 - listed)
  const outside = Math.max(mean, limited(-Math.log(tail)))
  const whole = listed * mean + tail * outside
  const wholeSquare = listed * meanSquare + tail * outside * outside
  return {
    mean: whole,
    variance: Math.max(0, wholeSquare - whole * whole),
    noise: Math.max(0, lean) + (1 - squares) / 2,
    listed,
    outside,
  }
}

function surpriseOf({ top, sampling, tokenIds }: PreparedAnswer, position: number, expected: Expected) {
  const entry = findToken(top, position, at(tokenIds, position))
  if (entry < 0) return expected.outside
  return limited(-Math.log(at(sampling.probabilities, entry) / expected.listed))
}

/** A surprise between 0 and the limit; the limit where the share is 0. */
function limited(surprise: number): number {
  return Math.max(0, Math.min(surprise, TUNING.surpriseLimit.value))
}
