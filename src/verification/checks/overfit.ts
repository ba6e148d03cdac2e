import { temperLogprob } from '../distributions.js'
import { temperedAt } from '../evidence.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure } from './failure.js'

/**
 * Claimed certainty (logprob exactly 0) on more tokens than 4.4.1 allows at this temperature, and on more than the
 * reference itself is certain of: at a low temperature an honest engine rounds many logprobs to 0.
 */
export const checkOverfit: Check = (answer) => {
  const { tokens, temperature, referenceTemperature } = answer
  const claimed = tokens.filter(({ logprob }) => logprob === 0).length
  const share = claimed / tokens.length
  const spared = Math.min(temperature * THRESHOLDS.overfitPerTemperature.value, THRESHOLDS.overfitMost.value)
  if (share < 1 - spared) return undefined
  // At the miner's own temperature, not the floor of expectations; greedy engines report at temperature 1.
  const own = temperedAt(answer, referenceTemperature / (temperature > 0 ? temperature : 1))
  const certain = answer.logprobs.filter((logprob, position) => {
    const scaled = temperLogprob(logprob, own, position).high
    return Math.max(logprob, scaled) >= -THRESHOLDS.roundsToZero.value
  }).length
  if (share <= certain / tokens.length + THRESHOLDS.overfitSlack.value) return undefined
  return failure(
    'OVERFIT',
    `${claimed} of ${tokens.length} tokens claim certainty where the reference is certain of ${certain}.`,
  )
}
