/**
 * Asks miners: signs a request for each, fails over and hedges until one has sent its first token, and reads its answer within
 * limits. Tests named after a behaviour: asking.test.ts (open-asking.ts, ask-miners.ts, attempt.ts, exchange.ts,
 * verified-answer.ts).
 */
export { NoAnswer } from './ask-miners.js'
export { MinerFailure } from './miner-failure.js'
export { type Asking, answerBytes, openAsking } from './open-asking.js'
export type { PlainPiece } from './plain-answer.js'
export type { Attempt, FailedAttempt, UserRequest } from './types.js'
export { UserStalled } from './user-stalled.js'
export type { AnswerPiece } from './verified-answer.js'
