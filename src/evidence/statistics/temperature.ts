import { at, findToken } from '../distributions.js'
import type { NoiseLevels } from '../noise.js'
import type { StatisticObservation } from '../observation.js'
import type { PreparedAnswer } from '../prepared-answer.js'

/**
 * Temperatures that a server may have used instead, as multiples of the one asked for. The inverse temperatures are so close
 * that one in between loses at most a fifth of the speed of detection; the smallest step, 0.9 served as 0.8, lies on the grid.
 */
const MULTIPLES = [0.5, 0.65, 0.78, 0.88, 1.15, 1.4] as const

/** Where noise is this large a part of the temperature, the statistic says nothing. */
const LARGEST_NOISE = 0.5
/** Positions of which the model is more certain than this say nothing. */
const CERTAIN = 0.999

/**
 * T, the temperature: the likelihood ratio of another temperature against the one asked for, within the reference's top
 * list. Given that a token is in the list, its probability at either temperature is known exactly, however the unseen tail is
 * spread; a token outside multiplies by 1. So the factor is 1 on average for a server without noise. Noise of variance v on
 * logit/temperature raises the mean to 1 + v·(Σp² - Σpq) (second order, p asked and q alternative), which is subtracted, with
 * half of v·(1 - Σp²) more for noise that leans in the direction of a temperature.
 */
export function observeTemperature(
  answer: PreparedAnswer,
  levels: NoiseLevels,
): StatisticObservation | undefined {
  const { isGreedy, isCut, samplingTemperature, length } = answer
  if (isGreedy || isCut) return undefined
  const variances = [levels.suspicion, levels.enforced].map(
    ({ logitScale }) => (logitScale / samplingTemperature) ** 2,
  )
  if (variances.some((variance) => !(variance < LARGEST_NOISE ** 2))) return undefined
  const bets = variances.map(() => MULTIPLES.map(() => 0))
  const sums = [0, 0]
  let tokens = 0
  const shares = new Float64Array(64)
  for (let position = 0; position < length; position++) {
    const drawn = logShares(answer, position, shares)
    if (!drawn) continue
    tokens++
    addScore(shares, drawn, sums)
    for (const [index, multiple] of MULTIPLES.entries()) {
      const { ratio, squares, products } = compare(shares, drawn, 1 / multiple)
      for (const [level, variance] of variances.entries()) {
        const slack = variance * (Math.max(0, squares - products) + (1 - squares) / 2)
        const levelBets = bets[level] ?? []
        levelBets[index] = (levelBets[index] ?? 0) + ratio - slack
      }
    }
  }
  const [suspicion = [], enforced = []] = bets
  return tokens === 0 ? undefined : { tokens, suspicion, enforced, sums }
}

interface Drawn {
  readonly count: number
  /** Index of the answer's token in the list, or -1. */
  readonly index: number
}

/** Writes the log of each listed token's share of the list; undefined where there is nothing to tell. */
function logShares(
  { top, tokenIds, sampling }: PreparedAnswer,
  position: number,
  shares: Float64Array,
): Drawn | undefined {
  const start = at(top.starts, position)
  const count = Math.min(at(top.starts, position + 1) - start, shares.length)
  if (count < 2) return undefined
  let [sum, most] = [0, 0]
  for (let entry = 0; entry < count; entry++) {
    const probability = at(sampling.probabilities, start + entry)
    sum += probability
    most = Math.max(most, probability)
  }
  if (!(sum > 0) || most / sum > CERTAIN) return undefined
  const best = at(top.logprobs, start) * sampling.exponent
  const logSum = Math.log(sum / most)
  for (let entry = 0; entry < count; entry++)
    shares[entry] = Math.min(0, at(top.logprobs, start + entry) * sampling.exponent - best - logSum)
  const entry = findToken(top, position, at(tokenIds, position))
  return { count, index: entry < 0 || entry - start >= count ? -1 : entry - start }
}

/** The log likelihood ratio of shares raised to `exponent`, and Σp² and Σpq. */
function compare(shares: Float64Array, { count, index }: Drawn, exponent: number) {
  let [total, squares, products] = [0, 0, 0]
  for (let entry = 0; entry < count; entry++) {
    const share = at(shares, entry)
    const p = Math.exp(share)
    const power = Math.exp(share * exponent)
    total += power
    squares += p * p
    products += p * power
  }
  const ratio = index < 0 ? 0 : at(shares, index) * (exponent - 1) - Math.log(total)
  return { ratio, squares, products: products / total }
}

/** Derivative of the log likelihood by the inverse temperature, and its variance: estimate 1 + first/second. */
function addScore(shares: Float64Array, { count, index }: Drawn, sums: number[]): void {
  let [mean, meanSquare] = [0, 0]
  for (let entry = 0; entry < count; entry++) {
    const share = at(shares, entry)
    const p = Math.exp(share)
    mean += p * share
    meanSquare += p * share * share
  }
  if (index < 0) return
  sums[0] = (sums[0] ?? 0) + at(shares, index) - mean
  sums[1] = (sums[1] ?? 0) + Math.max(0, meanSquare - mean * mean)
}
