import { distributionsAt } from '../answer-comparison.js'
import { logprobAtTemperature } from '../distributions.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure } from './check.js'

/**
 * Fails when too many tokens claim certainty (a logprob of exactly 0).
 *
 * Bound: the share of 4.4.1 (1 - min(T·0.5, 0.6)), and more than `overfitSlack` above the share of which the reference
 * itself is certain: at low temperatures an honest engine rounds many logprobs to 0. Source: 4.4.1 verify_logprobs.
 */
export const checkOverfit: Check = (answer) => {
  const { tokens, temperature, referenceTemperature } = answer
  const claimed = tokens.filter(({ logprob }) => logprob === 0).length
  const share = claimed / tokens.length
  const uncertain = Math.min(
    temperature * THRESHOLDS.overfitPerTemperature.value,
    THRESHOLDS.overfitMost.value,
  )
  if (share < 1 - uncertain) return undefined
  // At the miner's temperature, not at the floor used for expectations; greedy engines report at temperature 1.
  const scaled = distributionsAt(answer, referenceTemperature / (temperature > 0 ? temperature : 1))
  const certain = answer.logprobs.filter((logprob, position) => {
    const highest = logprobAtTemperature(logprob, scaled, position).high
    return Math.max(logprob, highest) >= -THRESHOLDS.roundsToZero.value
  }).length
  if (share <= certain / tokens.length + THRESHOLDS.overfitSlack.value) return undefined
  return failure(
    'OVERFIT',
    `${claimed} of ${tokens.length} tokens claim certainty; the reference is certain of ${certain}.`,
  )
}
