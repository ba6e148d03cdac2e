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

const checkSurprise: Check = ({ positions }) => {
  const limit = THRESHOLDS.surpriseLimit.value
  let surprise = 0
  let expected = 0
  let variance = 0
  for (const position of positions) {
    surprise += Math.min(limit, -Math.log(ownProbability(position)))
    const { mean, square } = surpriseMoments(position, limit)
    expected += mean
    variance += square - mean * mean
  }
  const excess = surprise - expected - positions.length * THRESHOLDS.tokenCredit.value
  if (logChanceOfExcess(excess, variance, limit) >= Math.log(THRESHOLDS.falseAlarm.value)) return undefined
  const perToken = (sum: number) => shown(sum / positions.length)
  return failure(
    'UNLIKELY_TOKENS',
    `A token is ${perToken(surprise)} nats surprising on average where ${perToken(expected)} are expected.`,
  )
}

/** Chance of the outcome as the top of the distribution tells it: its own, or that of all tokens outside the top. */
function ownProbability({ token, top, sampled }: JudgedPosition): number {
  const place = top.ids.indexOf(token.id)
  return Math.max(Number.MIN_VALUE, place >= 0 ? (sampled.probabilities[place] ?? 0) : sampled.rest)
}

function surpriseMoments({ sampled }: JudgedPosition, limit: number): { mean: number; square: number } {
  let mean = 0
  let square = 0
  for (const chance of [...sampled.probabilities, sampled.rest]) {
    if (chance <= 0) continue
    const surprise = Math.min(limit, -Math.log(chance))
    mean += chance * surprise
    square += chance * surprise * surprise
  }
  return { mean, square }
}
