/**
 * The verdict on an answer: compares it with the reference distributions of the validator's engine and names the cause
 * when it fails. Tests named after a behaviour: judge-strict.test.ts (answer-comparison.ts, checks/likelihood.ts),
 * document.test.ts (thresholds.ts), reports.test.ts (cuts.ts), targon-4.test.ts (targon-4/), never-inconclusive.property.test.ts and
 * queued-answers.test.ts (verify-strict.ts).
 */
export type { AnswerComparison } from './answer-comparison.js'
export { type Cut, defaultCut, isCutting, keptCount, keptShare } from './cuts.js'
export { PROVEN_ENDINGS, weighEnding } from './endings.js'
export { judgeStrict } from './judge-strict.js'
export {
  askRepeatedly,
  type CheckResult,
  checkedIndices,
  checkLogprobs,
  checkMembership,
  judgeTargon4,
  type MembershipResult,
  membershipTopK,
  sampleRange,
  type Targon4Entries,
} from './targon-4/index.js'
export { THRESHOLDS } from './thresholds.js'
export { CAUSES, type Cause, type RuleSet, type Verdict } from './verdict.js'
export type { JudgedAnswer } from './verification-request.js'
export { verifyAnswer } from './verify-answer.js'
export { checkUnscored } from './verify-strict.js'
