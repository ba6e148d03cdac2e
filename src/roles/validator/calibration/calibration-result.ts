import { z } from 'zod'
import { measureNoise, type Observation } from '../../../evidence/index.js'

const nats = z.number().finite().min(0)
const count = z.number().int().min(0)

/** What the answers of the own engines showed, before the safety factor and the least noise. */
export const calibrationResult = z.object({
  noise: z.object({ logitScale: nats, residual: nats, unexplained: nats }),
  /** Answers compared, one answer once per server that scored it, and their tokens. */
  answers: count,
  tokens: count,
  /** Tokens of which the draw was compared (greedy, or following the seed), and how many differed. */
  drawn: count,
  mismatches: count,
  /** Telling tokens with log probabilities, and quantiles over answers of their mean difference, in nats. */
  stated: count,
  residual: z.object({ mean: nats, median: nats, p90: nats, p99: nats, largest: nats }),
})

export type CalibrationResult = z.infer<typeof calibrationResult>

/** Fewer tokens bound the noise by more than the floors for other hardware. */
const FEWEST = { drawn: 1000, stated: 300 }
/** Telling tokens that make the mean of an answer worth a quantile. */
const TELLING = 20

/** @returns undefined when there is too little to bound anything */
export function concludeCalibration(observations: readonly Observation[]): CalibrationResult | undefined {
  const { logitScale, residual, unexplained, ...counts } = measureNoise(observations)
  if (counts.drawn < FEWEST.drawn || counts.stated < FEWEST.stated) return undefined
  return {
    noise: { logitScale, residual, unexplained },
    ...counts,
    tokens: observations.reduce((sum, { tokens }) => sum + tokens, 0),
    residual: describeResiduals(observations),
  }
}

function describeResiduals(observations: readonly Observation[]): CalibrationResult['residual'] {
  const seen = observations.flatMap(({ statistics: { residual } }) =>
    residual ? [{ tokens: residual.tokens, sum: residual.sums[0] ?? 0 }] : [],
  )
  const tokens = seen.reduce((total, one) => total + one.tokens, 0)
  const means = seen
    .filter((one) => one.tokens >= TELLING)
    .map((one) => one.sum / one.tokens)
    .sort((a, b) => a - b)
  const quantile = (share: number) => means[Math.max(0, Math.ceil(share * means.length) - 1)] ?? 0
  return {
    mean: seen.reduce((total, one) => total + one.sum, 0) / Math.max(1, tokens),
    ...{ median: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), largest: quantile(1) },
  }
}
