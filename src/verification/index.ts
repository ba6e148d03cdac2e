export type { Agreement, Check } from './checks/index.js'
export type { Evidence, JudgedAnswer, SoundToken } from './evidence.js'
export { judgeStrict } from './judge-strict.js'
export {
  type CheckResult,
  checkedIndices,
  checkLogprobs,
  checkMembership,
  judgeTargon4,
  type LogprobEvidence,
  type MembershipResult,
  membershipTopK,
  sampleRange,
  type Targon4Entries,
} from './targon-4/index.js'
export { THRESHOLDS, type Threshold } from './thresholds.js'
export { CAUSES, type Cause, type RuleSet, type ValidatorFault, type Verdict } from './verdict.js'
export { type VerificationRequest, verifyAnswer } from './verify-answer.js'
