import { chanceOf } from '../evidence.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure } from './failure.js'

/**
 * An answer that goes on where an honest sampler would have ended. The chance of having come this far is the product
 * of the chances not to end at each position; it falls below α for an honest answer with a chance of at most α.
 */
export const checkSkippedEnd: Check = (answer) => {
  const { tokens, endTokenIds } = answer
  let logSurvival = 0
  for (const [index, token] of tokens.entries()) {
    if (endTokenIds.has(token.id)) {
      if (index === tokens.length - 1) return undefined
      return failure('SKIPPED_EOS_EOT', `The answer goes on after its end token at token ${index}.`)
    }
    const chance = Math.min(chanceOf(endTokenIds, answer, index), 1 - THRESHOLDS.endTokenDoubt.value)
    logSurvival += Math.log1p(-chance)
    if (logSurvival < Math.log(THRESHOLDS.falseAlarm.value)) {
      return failure(
        'SKIPPED_EOS_EOT',
        `The end token was passed over up to token ${index}; one answer in ${Math.exp(-logSurvival).toExponential(1)} gets this far.`,
      )
    }
  }
  return undefined
}
