import type { Clock } from '../../../kernel/index.js'
import type { Behaviour } from '../behaviour/index.js'
import type { LogprobsMode, PaceSettings } from '../generation/index.js'
import type { Tokenizer } from '../language/index.js'
import type { Dialect } from '../options.js'
import type { EngineFault } from './faults.js'
import type { EngineMetrics } from './metrics.js'
import type { Slots } from './slots.js'

/** What the routes of one running engine share. */
export interface EngineState {
  readonly clock: Clock
  readonly tokenizer: Tokenizer
  readonly models: readonly string[]
  readonly dialect: Dialect
  readonly logprobsMode: LogprobsMode
  readonly apiKey: string | undefined
  readonly maxModelLen: number
  readonly maxLogprobs: number
  readonly returnTokensAsTokenIds: boolean
  readonly tokensPerChunk: number
  readonly startedAtSeconds: number
  readonly metrics: EngineMetrics
  readonly slots: Slots
  /** May change while the engine runs. */
  behaviour: Behaviour
  fault: EngineFault | undefined
  /** Connections before this moment of the monotonic clock are reset: the model is still being loaded. */
  readonly readyAtMs: number
  pace: PaceSettings
  /** Number of the next request: ids and the seeds of requests without one. */
  nextRequest: number
}
