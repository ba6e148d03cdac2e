/** The verdict of Targon 4.4.1, reproduced exactly for validators that must agree with 4.4.1 peers. */
export { askRepeatedly } from './attempts.js'
export { membershipTopK, referenceTopK } from './constants.js'
export { judgeTargon4, type Targon4Checks, type Targon4Request } from './judge.js'
export {
  type CheckResult,
  checkLogprobs,
  type LogprobComparison,
  type Targon4Entries,
  type Targon4Token,
} from './logprobs.js'
export { checkedIndices, checkMembership, type MembershipResult, sampleRange, type TopIds } from './random.js'
