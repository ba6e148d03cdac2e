export { decode, type LogprobsMode, scorePrompt } from './decode.js'
export type { Job, PromptPosition, Step, TokenReport } from './job.js'
export { Pace, type PaceSettings } from './pace.js'
