import { temperLogprob } from '../distribution.js'
import { temperedAt } from '../evidence.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure } from './failure.js'

/**
 * Claimed certainty (logprob exactly 0) on more tokens than 4.4.1 allows at this temperature, and on more than the
 * reference itself is certain of: at a low temperature an honest engine rounds many logprobs to 0.
 */
export const checkOverfit: Check = ({ positions, temperature, referenceTemperature }) => {
  const claimed = positions.filter(({ token }) => token.logprob === 0).length
  const share = claimed / positions.length
  const spared = Math.min(temperature * THRESHOLDS.overfitPerTemperature.value, THRESHOLDS.overfitMost.value)
  if (share < 1 - spared) return undefined
  // At the miner's own temperature, not the floor of expectations; greedy engines report at temperature 1.
  const exponent = referenceTemperature / (temperature > 0 ? temperature : 1)
  const certain = positions.filter((position) => {
    const scaled = temperLogprob(position.logprob, temperedAt(position, exponent)).high
    return Math.max(position.logprob, scaled) >= -THRESHOLDS.roundsToZero.value
  }).length
  if (share <= certain / positions.length + THRESHOLDS.overfitSlack.value) return undefined
  return failure(
    'OVERFIT',
    `${claimed} of ${positions.length} tokens claim certainty where the reference is certain of ${certain}.`,
  )
}
