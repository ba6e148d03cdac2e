import { at, findToken } from '../../evidence/index.js'
import type { PreparedAnswer } from '../answer-comparison.js'
import { logProbabilityAtLeast, logProbabilityOfExcess } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

/**
 * Fails when the answer as a whole is less likely than a sample of the model: too many of its tokens are not the
 * likeliest, or their surprise (negative logprob) adds up to more than the entropy of the distributions explains.
 *
 * Bounds: Chernoff on the count, Bernstein on the sum, each at most `falseAlarm` for an honest answer. Source: 4.4.1 fails
 * when half of the tokens are not the likeliest, whatever the temperature.
 */
export const checkLikelihood: Check = (answer) => checkNotFirst(answer) ?? checkSurprise(answer)

const checkNotFirst: Check = ({ tokens, ranks, top: { starts }, sampling: { probabilities } }) => {
  let notFirst = 0
  let expected = 0
  for (let index = 0; index < tokens.length; index++) {
    if (at(ranks, index) !== 1) notFirst++
    const start = at(starts, index)
    expected += 1 - (start < at(starts, index + 1) ? at(probabilities, start) : 0)
  }
  const credit = tokens.length * THRESHOLDS.tokenCredit.value
  if (logProbabilityAtLeast(notFirst, expected + credit) >= Math.log(THRESHOLDS.falseAlarm.value))
    return undefined
  return failure(
    'UNLIKELY_TOKENS',
    `${notFirst} of ${tokens.length} tokens are not the likeliest, expected ${formatNumber(expected)}.`,
  )
}

/**
 * Considers the top K alone, with probabilities normalised to add up to 1 there, so that the result does not depend on a
 * guess about the unseen tail. Tokens outside the top are counted by checkFarTokens.
 */
const checkSurprise: Check = (answer) => {
  const limit = THRESHOLDS.surpriseLimit.value
  let surprise = 0
  let expected = 0
  let variance = 0
  let counted = 0
  for (const [index, { id }] of answer.tokens.entries()) {
    const entry = findToken(answer.top, index, id)
    if (entry < 0) continue
    const { actual, mean, square } = surpriseAt(answer, index, entry, limit)
    surprise += actual
    expected += mean
    variance += square - mean * mean
    counted++
  }
  const excess = surprise - expected - counted * THRESHOLDS.tokenCredit.value
  if (logProbabilityOfExcess(excess, variance, limit) >= Math.log(THRESHOLDS.falseAlarm.value))
    return undefined
  const perToken = (sum: number) => formatNumber(sum / counted)
  return failure(
    'UNLIKELY_TOKENS',
    `The average surprise per token is ${perToken(surprise)} nats, expected ${perToken(expected)}.`,
  )
}

/** Surprise of the token at `tokenEntry`, with the mean and mean square of the surprise among the position's top. */
function surpriseAt({ top, sampling }: PreparedAnswer, position: number, tokenEntry: number, limit: number) {
  const { starts, logprobs } = top
  const { probabilities, exponent } = sampling
  const [start, end] = [at(starts, position), at(starts, position + 1)]
  let seen = 0
  for (let entry = start; entry < end; entry++) seen += at(probabilities, entry)
  const logSum = Math.log(seen) + at(sampling.highLogNormaliser, position)
  let mean = 0
  let square = 0
  let actual = limit
  for (let entry = start; entry < end; entry++) {
    const probability = at(probabilities, entry) / seen
    if (probability <= 0) continue
    const surprise = Math.min(limit, logSum - exponent * at(logprobs, entry))
    mean += probability * surprise
    square += probability * surprise * surprise
    if (entry === tokenEntry) actual = surprise
  }
  return { actual, mean, square }
}
