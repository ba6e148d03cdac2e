import type { Clock } from '../../../kernel/index.js'
import type { Behaviour, EngineFault } from '../behaviour/index.js'
import type { LogprobsMode, PaceSettings } from '../generation/index.js'
import type { SamplerName, Tokenizer } from '../language/index.js'
import type { Dialect, NumericNoise, SamplingDefaults } from '../options.js'
import type { EngineMetrics } from './metrics.js'
import type { Slots } from './slots.js'

/** State shared by the routes of one engine. */
export interface EngineState {
  readonly clock: Clock
  readonly tokenizer: Tokenizer
  readonly models: readonly string[]
  readonly dialect: Dialect
  readonly logprobsMode: LogprobsMode
  readonly sampler: SamplerName
  readonly numericNoise: NumericNoise
  readonly apiKey: string | undefined
  readonly maxModelLen: number
  readonly maxLogprobs: number
  readonly returnTokensAsTokenIds: boolean
  readonly tokensPerChunk: number
  readonly reasoningParser: boolean
  readonly templateDate: boolean
  readonly samplingDefaults: SamplingDefaults
  /** Undefined: every chunk has `tokensPerChunk` tokens, however late it is. */
  readonly sendLagMs: number | undefined
  readonly startedAtSeconds: number
  /** On the monotonic clock. */
  readonly startedAtMs: number
  readonly metrics: EngineMetrics
  readonly slots: Slots
  behaviour: Behaviour
  fault: EngineFault | undefined
  /** Connections before this time (monotonic clock) are reset, as if the model were still loading. */
  readonly readyAtMs: number
  pace: PaceSettings
  /** Counts requests; the seed of a request without one. */
  nextRequest: number
}
