import { at, findToken } from '../../evidence/index.js'
import type { PreparedAnswer } from '../answer-comparison.js'
import { type Cut, hardestCut, keptCount } from '../cuts.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure } from './check.js'

/**
 * Fails when the answer continues where an honest sampler would have ended: after an end token, or past so many likely
 * ends that continuing is implausible.
 *
 * Bound: the probability of continuing this far is the product of the probabilities not to end at each position; it falls
 * below α for at most a share α of honest answers. An end that the hardest truncation excludes does not count where the
 * request allows one: a server that applies top_p never draws it. Source: 4.4.1 fails on a single end token that outranks the token drawn instead, which
 * honest answers pass over now and then.
 */
export const checkSkippedEnd: Check = (answer) => {
  const { tokens, endTokenIds } = answer
  const hardest = hardestCut(answer)
  let logContinue = 0
  for (const [index, token] of tokens.entries()) {
    if (endTokenIds.has(token.id)) {
      if (index === tokens.length - 1) return undefined
      return failure('SKIPPED_EOS_EOT', `The answer continues after the end token at token ${index}.`)
    }
    const end = Math.min(probabilityOfEnd(answer, index, hardest), 1 - THRESHOLDS.endTokenDoubt.value)
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

/** Probability that the answer ends here, counting only end tokens that survive this cut with noise. */
function probabilityOfEnd(answer: PreparedAnswer, position: number, cut: Cut): number {
  const { top, sampling, endTokenIds } = answer
  let last: number | undefined
  let probability = 0
  for (const id of endTokenIds) {
    const entry = findToken(top, position, id)
    if (entry < 0) continue
    const shift = -THRESHOLDS.agreementNats.value * sampling.exponent
    last ??= at(top.starts, position) + keptCount(top, sampling, position, cut, shift)
    if (entry < last) probability += at(sampling.probabilities, entry)
  }
  return probability
}
