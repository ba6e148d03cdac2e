import { checkAgreement } from './agreement.js'
import { checkEarlyEnd } from './early-end.js'
import type { Check } from './failure.js'
import { checkIgnoredTemperature } from './ignored-temperature.js'
import { checkImpossibleToken } from './impossible-token.js'
import { checkMembership } from './membership.js'
import { checkOverfit } from './overfit.js'
import { checkSkippedEnd } from './skipped-end.js'
import { checkUnlikelyToken } from './unlikely-token.js'
import { checkUnlikelyTokens } from './unlikely-tokens.js'

export type { Agreement } from './agreement.js'
export { type Check, type Failure, failure } from './failure.js'
export { checkLength } from './length.js'
export { checkStream } from './stream.js'
export { checkText } from './text.js'
export { checkTokens } from './token-hygiene.js'

/** In the order of 4.4.1: what is surest first, so that the cause named is the plainest one. */
export const CHECKS: readonly Check[] = [
  checkSkippedEnd,
  checkImpossibleToken,
  checkUnlikelyToken,
  checkUnlikelyTokens,
  checkEarlyEnd,
  checkOverfit,
  checkAgreement,
  checkMembership,
  checkIgnoredTemperature,
]
