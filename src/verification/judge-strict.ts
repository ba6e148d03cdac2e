import { type AnswerComparison, prepareAnswer } from './answer-comparison.js'
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
 */
export function judgeStrict(comparison: AnswerComparison): Verdict {
  const answer = prepareAnswer(comparison)
  if (!answer)
    return inconclusive('engine-answer', 'The engine’s reference is missing a position or its token.')
  for (const check of CHECKS) {
    const failed = check(answer)
    if (failed) return failed
  }
  return { kind: 'verified' }
}
