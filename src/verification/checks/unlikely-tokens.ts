import { at, placeOf } from '../distributions.js'
import type { JudgedAnswer } from '../evidence.js'
import { logChanceOfAtLeast, logChanceOfExcess } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

/**
 * The answer as a whole is less likely than a sample of the model: too many tokens are not the likeliest
 * (4.4.1: half of them), or their surprise adds up to more than the entropy of the distributions explains.
 */
export const checkUnlikelyTokens: Check = (answer) => checkNotFirst(answer) ?? checkSurprise(answer)

const checkNotFirst: Check = ({ tokens, ranks, tops: { starts }, sampled: { probabilities } }) => {
  let notFirst = 0
  let expected = 0
  for (let index = 0; index < tokens.length; index++) {
    if (at(ranks, index) !== 1) notFirst++
    const start = at(starts, index)
    expected += 1 - (start < at(starts, index + 1) ? at(probabilities, start) : 0)
  }
  const credit = tokens.length * THRESHOLDS.tokenCredit.value
  if (logChanceOfAtLeast(notFirst, expected + credit) >= Math.log(THRESHOLDS.falseAlarm.value))
    return undefined
  return failure(
    'UNLIKELY_TOKENS',
    `${notFirst} of ${tokens.length} tokens are not the likeliest where ${shown(expected)} are expected.`,
  )
}

/**
 * Judged among the top K alone, with chances that add up to 1 there: so the answer does not depend on a guess about the
 * unseen tail. Tokens outside the top are counted by checkUnlikelyToken.
 */
const checkSurprise: Check = (answer) => {
  const limit = THRESHOLDS.surpriseLimit.value
  let surprise = 0
  let expected = 0
  let variance = 0
  let judged = 0
  for (const [index, { id }] of answer.tokens.entries()) {
    const place = placeOf(answer.tops, index, id)
    if (place < 0) continue
    const { own, mean, square } = surpriseAmongTop(answer, index, place, limit)
    surprise += own
    expected += mean
    variance += square - mean * mean
    judged++
  }
  const excess = surprise - expected - judged * THRESHOLDS.tokenCredit.value
  if (logChanceOfExcess(excess, variance, limit) >= Math.log(THRESHOLDS.falseAlarm.value)) return undefined
  const perToken = (sum: number) => shown(sum / judged)
  return failure(
    'UNLIKELY_TOKENS',
    `A token is ${perToken(surprise)} nats surprising on average where ${perToken(expected)} are expected.`,
  )
}

function surpriseAmongTop({ tops, sampled }: JudgedAnswer, position: number, own: number, limit: number) {
  const { starts, logprobs } = tops
  const { probabilities, exponent } = sampled
  const [start, end] = [at(starts, position), at(starts, position + 1)]
  let seen = 0
  for (let place = start; place < end; place++) seen += at(probabilities, place)
  const logSum = Math.log(seen) + at(sampled.highLogNormaliser, position)
  let mean = 0
  let square = 0
  let surpriseOfOwn = limit
  for (let place = start; place < end; place++) {
    const chance = at(probabilities, place) / seen
    if (chance <= 0) continue
    const surprise = Math.min(limit, logSum - exponent * at(logprobs, place))
    mean += chance * surprise
    square += chance * surprise * surprise
    if (place === own) surpriseOfOwn = surprise
  }
  return { own: surpriseOfOwn, mean, square }
}
