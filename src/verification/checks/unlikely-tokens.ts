import type { JudgedPosition } from '../evidence.js'
import { logChanceOfAtLeast, logChanceOfExcess } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

/**
 * The answer as a whole is less likely than a sample of the model: too many tokens are not the likeliest
 * (4.4.1: half of them), or their surprise adds up to more than the entropy of the distributions explains.
 */
export const checkUnlikelyTokens: Check = (answer) => checkNotFirst(answer) ?? checkSurprise(answer)

const checkNotFirst: Check = ({ positions }) => {
  let notFirst = 0
  let expected = 0
  for (const { rank, sampled } of positions) {
    if (rank !== 1) notFirst++
    expected += 1 - (sampled.probabilities[0] ?? 0)
  }
  const credit = positions.length * THRESHOLDS.tokenCredit.value
  if (logChanceOfAtLeast(notFirst, expected + credit) >= Math.log(THRESHOLDS.falseAlarm.value))
    return undefined
  return failure(
    'UNLIKELY_TOKENS',
    `${notFirst} of ${positions.length} tokens are not the likeliest where ${shown(expected)} are expected.`,
  )
}

/**
 * Judged among the top K alone, with chances that add up to 1 there: so the answer does not depend on a guess about the
 * unseen tail. Tokens outside the top are counted by checkUnlikelyToken.
 */
const checkSurprise: Check = ({ positions }) => {
  const limit = THRESHOLDS.surpriseLimit.value
  let surprise = 0
  let expected = 0
  let variance = 0
  let judged = 0
  for (const position of positions) {
    const place = position.top.ids.indexOf(position.token.id)
    if (place < 0) continue
    const { own, mean, square } = surpriseAmongTop(position, place, limit)
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

function surpriseAmongTop({ top, sampled }: JudgedPosition, place: number, limit: number) {
  const { probabilities, exponent, logNormaliser } = sampled
  let seen = 0
  for (const probability of probabilities) seen += probability
  const logSum = Math.log(seen) + logNormaliser.high
  let mean = 0
  let square = 0
  let own = limit
  for (let index = 0; index < probabilities.length; index++) {
    const chance = (probabilities[index] ?? 0) / seen
    if (chance <= 0) continue
    const surprise = Math.min(limit, logSum - exponent * (top.logprobs[index] ?? 0))
    mean += chance * surprise
    square += chance * surprise * surprise
    if (index === place) own = surprise
  }
  return { own, mean, square }
}
