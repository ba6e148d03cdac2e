/**
 * Signed files with which a miner, or anyone, can replay what a validator concluded from answers, without a network.
 *
 * Tests named after a behaviour: bundle.test.ts (columns.ts, kept-answer.ts, replay.ts, bundle-error.ts).
 */
export { decodeBundle, type EvidenceBundle, encodeBundle, openBundle } from './bundle.js'
export { type KeptAnswer, keepAnswer, keptAnswerSchema, type WeighedAnswer } from './kept-answer.js'
export { type Replay, replayAnswers } from './replay.js'
