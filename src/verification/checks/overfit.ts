import { temperLogprob, temperPosition } from '../distribution.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure } from './failure.js'

/**
 * Claimed certainty (logprob exactly 0) on more tokens than 4.4.1 allows at this temperature, and on more than the
 * reference itself is certain of: at a low temperature an honest engine rounds many logprobs to 0.
 */
export const checkOverfit: Check = (answer) => {
  const { positions, temperature } = answer
  // At the miner's own temperature, not the floor of expectations; greedy engines report at temperature 1.
  const exponent = answer.referenceTemperature / (temperature > 0 ? temperature : 1)
  let claimed = 0
  let certain = 0
  for (const { token, logprob, top } of positions) {
    if (token.logprob === 0) claimed++
    const scaled = temperLogprob(logprob, exponent, temperPosition(top, exponent)).high
    if (Math.max(logprob, scaled) >= -THRESHOLDS.roundsToZero.value) certain++
  }
  const share = claimed / positions.length
  const spared = Math.min(temperature * THRESHOLDS.overfitPerTemperature.value, THRESHOLDS.overfitMost.value)
  if (share < 1 - spared) return undefined
  if (share <= certain / positions.length + THRESHOLDS.overfitSlack.value) return undefined
  return failure(
    'OVERFIT',
    `${claimed} of ${positions.length} tokens claim certainty where the reference is certain of ${certain}.`,
  )
}
