/**
 * Rounds of queries: which miners are queried for which model, their answers, and the verdicts on them.
 *
 * Tests named after a behaviour: round.test.ts (unchecked.ts).
 */
export { hasFailedContent } from './judge.js'
export { type ConnectedPorts, connectPorts } from './ports.js'
export type { ReviewedAnswer, RoundPorts, RoundResult, UncheckedAnswer } from './round.js'
export { type NotServing, type RoundEvents, RoundLoop, type SatOut } from './round-loop.js'
