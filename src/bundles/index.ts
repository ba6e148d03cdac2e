/**
 * Signed files with which a miner, or anyone, can replay what a validator concluded from answers, without a network or on an engine
 * of their own.
 *
 * Tests named after a behaviour: bundle.test.ts (columns.ts, judged.ts, kept-answer.ts, opened-answer.ts, recorded-engine.ts, replay.ts,
 * likeness.ts, bundle-error.ts), engine-replay.test.ts (describe-replay.ts).
 */
export { decodeBundle, type EvidenceBundle, encodeBundle, openBundle } from './bundle.js'
export { describeEngineReplay, describeReplay } from './describe-replay.js'
export { type EngineReplay, replayOnEngine } from './engine-replay.js'
export { type KeptAnswer, keepAnswer, keptAnswerSchema, type WeighedAnswer } from './kept-answer.js'
export { type Replay, replayAnswers } from './replay.js'
