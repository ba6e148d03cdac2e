import { applyTemperature, at, logprobAtTemperature } from '../distributions.js'
import type { Noise, NoiseLevels } from '../noise.js'
import type { StatisticObservation } from '../observation.js'
import type { PreparedAnswer } from '../prepared-answer.js'
import { TUNING } from '../tuning.js'

/** Shares of the evidence staked on every token. */
const STAKES = [0.1, 0.3, 0.6] as const

/**
 * R, the claimed residual: X = min(|claimed - reference|, cap) of every token that the reference is not certain of. The
 * factor of a token is 1 + f·(X/m - 1) with m the residual of the level: positive for f < 1, and at most 1 on average as
 * long as the mean of X given the past is at most m. It bets per token, so m has to bound the mean of every answer, not the
 * mean over answers. The strongest statistic, blind to a miner that has the true model rescore its tokens.
 *
 * Where a server states log probabilities at its temperature, the unseen tail leaves the reference uncertain; X is then the
 * distance to the interval. Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", 2024.
 */
export function observeResidual(
  answer: PreparedAnswer,
  levels: NoiseLevels,
): StatisticObservation | undefined {
  if (answer.isCut && answer.claimedAt !== 1) return undefined
  const residuals = claimedResiduals(answer)
  if (residuals.length === 0) return undefined
  const sum = residuals.reduce((total, residual) => total + residual, 0)
  const squares = residuals.reduce((total, residual) => total + residual ** 2, 0)
  return {
    tokens: residuals.length,
    suspicion: betOn(residuals, levels.suspicion),
    enforced: betOn(residuals, levels.enforced),
    sums: [sum, squares],
  }
}

function betOn(residuals: readonly number[], { residual: mean }: Noise): number[] {
  return STAKES.map((stake) =>
    residuals.reduce((total, residual) => total + Math.log(1 + stake * (residual / mean - 1)), 0),
  )
}

/** X of every telling token; the cap where a miner stated nothing that can be read. */
function claimedResiduals(answer: PreparedAnswer): number[] {
  const { claimed, claimedAt, reference, length, top } = answer
  const cap = TUNING.residualCap.value
  const isRaw = claimedAt === 1 || !(claimedAt > 0)
  const tempered = isRaw ? undefined : applyTemperature(top, 1 / claimedAt)
  const residuals: number[] = []
  for (let position = 0; position < length; position++) {
    const expected = at(reference, position)
    if (!(expected < -TUNING.certainLogprob.value)) continue
    const stated = claimed[position] ?? Number.NaN
    const bounds = tempered
      ? logprobAtTemperature(expected, tempered, position)
      : { low: expected, high: expected }
    const distance = Math.max(bounds.low - stated, stated - bounds.high, 0)
    residuals.push(Number.isNaN(distance) ? cap : Math.min(distance, cap))
  }
  return residuals
}
