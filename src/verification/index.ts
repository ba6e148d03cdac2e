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
export { CAUSES, type Cause, type RuleSet, type ValidatorFault, type Verdict } from './verdict.js'
