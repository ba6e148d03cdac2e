/**
 * Generates answers and scores prompts with a language model. Tests named after a behaviour:
 * ../http/scoring.test.ts and ../http/stream-answer.test.ts (decode.ts).
 */
export { decode, scorePrompt } from './decode.js'
export type { Decoding, Draft, LogprobsMode } from './decoding.js'
export type { Job, PromptPosition, Step, TokenReport } from './job.js'
export { Pace, type PaceSettings } from './pace.js'
