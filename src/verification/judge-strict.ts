import { type AnswerComparison, type PreparedAnswer, prepareAnswer } from './answer-comparison.js'
import {
  type Check,
  checkAgreement,
  checkEarlyEnd,
  checkFarTokens,
  checkIgnoredTemperature,
  checkImpossibleToken,
  checkLikelihood,
  checkMembership,
  checkOverfit,
  checkSkippedEnd,
} from './checks/index.js'
import { endingOf, endOdds } from './endings.js'
import { THRESHOLDS } from './thresholds.js'
import { inconclusive, type Verdict } from './verdict.js'

/** In the order of 4.4.1: the most certain check comes first, so that the verdict names the clearest cause. */
const CHECKS: readonly Check[] = [
  checkSkippedEnd,
  checkImpossibleToken,
  checkFarTokens,
  checkLikelihood,
  checkEarlyEnd,
  checkOverfit,
  checkAgreement,
  checkMembership,
  checkIgnoredTemperature,
]

/**
 * Applies the strict rules to an answer whose tokens passed hygiene. The verdict is inconclusive only when the engine's
 * reference does not belong to these tokens, which is the engine's fault.
 *
 * @param onPrepared called with the values that the checks share, where they exist
 */
export function judgeStrict(
  comparison: AnswerComparison,
  onPrepared?: (answer: PreparedAnswer) => void,
): Verdict {
  const answer = prepareAnswer(comparison)
  if (!answer)
    return inconclusive('engine-answer', 'The engine’s reference is missing a position or its token.')
  onPrepared?.(answer)
  for (const check of CHECKS) {
    const failed = check(answer)
    if (failed) return failed
  }
  return describeVerified(answer)
}

/** An answer of one or two tokens proves the model's work as little as before, but its honest end is no failure. */
function describeVerified(answer: PreparedAnswer): Verdict {
  const { tokens, maxTokens } = answer
  const ending = endingOf(answer)
  const odds = ending ? endOdds(ending, maxTokens) : 0
  return {
    kind: 'verified',
    ...(tokens.length < THRESHOLDS.shortestAnswer.value ? { hasNoSpeed: true } : {}),
    ...(odds > 1 ? { endOdds: odds } : {}),
  }
}
