import { probabilityOfAny } from '../answer-comparison.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure } from './check.js'

/**
 * Fails when the answer continues where an honest sampler would have ended: after an end token, or past so many likely
 * ends that continuing is implausible.
 *
 * Bound: the probability of continuing this far is the product of the probabilities not to end at each position; it falls
 * below α for at most a share α of honest answers. Source: 4.4.1 fails on a single end
 * token that outranks the token drawn instead, which honest answers pass over now and then.
 */
export const checkSkippedEnd: Check = (answer) => {
  const { tokens, endTokenIds } = answer
  let logContinue = 0
  for (const [index, token] of tokens.entries()) {
    if (endTokenIds.has(token.id)) {
      if (index === tokens.length - 1) return undefined
      return failure('SKIPPED_EOS_EOT', `The answer continues after the end token at token ${index}.`)
    }
    const end = Math.min(probabilityOfAny(endTokenIds, answer, index), 1 - THRESHOLDS.endTokenDoubt.value)
    logContinue += Math.log1p(-end)
    if (logContinue < Math.log(THRESHOLDS.falseAlarm.value)) {
      return failure(
        'SKIPPED_EOS_EOT',
        `No end token up to token ${index}; only one answer in ${Math.exp(-logContinue).toExponential(1)} continues this far.`,
      )
    }
  }
  return undefined
}
