import type { StatisticData } from './book-data.js'
import { ESTIMATE_SCALES, readMarginSums } from './margins.js'
import type { Noise } from './noise.js'
import type { Statistic } from './observation.js'

/** A value with the interval that holds it in about 95 of 100 cases. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** Gaussian noise of standard deviation σ on each logit flips as many tokens as a Laplace tail of scale 2σ/√π. */
const SCALE_PER_DEVIATION = 2 / Math.sqrt(Math.PI)
/** Tokens of an answer depend on each other: intervals are this much wider than for independent ones. */
const DEPENDENCE = 2

/** What a statistic's sums say; undefined before there is anything to estimate. */
export function estimate(statistic: Statistic, { tokens, sums }: StatisticData): Estimate | undefined {
  if (tokens < 1) return undefined
  const [first = 0, second = 0] = sums
  if (statistic === 'seeded' || statistic === 'greedy') return noiseEstimate(sums)
  if (statistic === 'residual') {
    const value = first / tokens
    const variance = Math.max(0, second / tokens - value * value)
    return around(value, DEPENDENCE * 2 * Math.sqrt(variance / tokens), 0)
  }
  if (statistic === 'surprise') return around(first / tokens, (DEPENDENCE * 2 * Math.sqrt(second)) / tokens)
  if (second < 1) return undefined
  const served = (steps: number) => 1 / Math.max(0.1, 1 + (first + steps * Math.sqrt(second)) / second)
  return { value: served(0), low: served(2 * DEPENDENCE), high: served(-2 * DEPENDENCE) }
}

/** The standard deviation of logit noise that causes as many mismatches as were seen, in nats. */
function noiseEstimate(sums: readonly number[]): Estimate {
  const { mismatches, expected } = readMarginSums(sums)
  const width = DEPENDENCE * 2 * Math.sqrt(mismatches + 1)
  const deviation = (count: number) => scaleForMismatches(Math.max(0, count), expected) / SCALE_PER_DEVIATION
  return {
    value: deviation(mismatches),
    low: deviation(mismatches - width),
    high: deviation(mismatches + width),
  }
}

/** Where the expected mismatches, which grow with the scale, cross the count; between 0 and the largest scale. */
export function scaleForMismatches(count: number, expected: readonly number[]): number {
  let [scale, reached] = [0, 0]
  for (const [index, next] of ESTIMATE_SCALES.entries()) {
    const more = expected[index] ?? 0
    if (more >= count)
      return more > reached ? scale + ((next - scale) * (count - reached)) / (more - reached) : scale
    scale = next
    reached = more
  }
  return scale
}

function around(value: number, width: number, least = Number.NEGATIVE_INFINITY): Estimate {
  return { value, low: Math.max(least, value - width), high: value + width }
}

/** Between which values the estimates of honest servers lie at a level of noise. */
export function honestBands({ logitScale, residual }: Noise): Readonly<Record<Statistic, HonestBand>> {
  const noise = { low: 0, high: logitScale / SCALE_PER_DEVIATION }
  return {
    seeded: noise,
    greedy: noise,
    residual: { low: 0, high: residual },
    temperature: { low: 1 - logitScale, high: 1 + logitScale },
    surprise: { low: -0.1, high: 0.05 + logitScale ** 2 },
  }
}

export interface HonestBand {
  readonly low: number
  readonly high: number
}
