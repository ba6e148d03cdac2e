import type { Clock } from '../../kernel/index.js'
import type { BehaviourName, Cheat, EngineFault } from './behaviour/index.js'
import type { SamplerName } from './language/index.js'

/** `v1`: a current vLLM. `v0`: vLLM 0.6.2; docs/development/development-engine.md lists the differences. */
export type Dialect = 'v0' | 'v1'

/** What a model's generation_config.json recommends. */
export interface SamplingDefaults {
  readonly topP?: number
  readonly topK?: number
  readonly minP?: number
}

/**
 * What honest servers differ by: Gaussian noise on every logit, in nats (standard deviation), drawn apart for generation and for
 * prompts. Cards with different seeds round differently; the same tokens always get the same logits.
 */
export interface NumericNoise {
  /** While generating; default 0. */
  readonly decode?: number
  /** In the logprobs of prompts; default 0. */
  readonly prefill?: number
  /** Default 1. */
  readonly seed?: number
}

export interface DevelopmentEngineOptions {
  /** 0: any free port. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Names to serve, at least one. `DEVELOPMENT_MODELS` lists the built-in models; any other name gets its own model. */
  readonly models: readonly string[]
  /** Default `honest`. */
  readonly behaviour?: BehaviourName
  /** How it cheats, in numbers, on top of `behaviour`; `setBehaviour` replaces both. Default not at all. */
  readonly cheat?: Cheat
  /** The fault it starts with; default none. */
  readonly fault?: EngineFault
  /** How long connections are reset after the start, as if the model were loading; default 0. */
  readonly readyAfterMs?: number
  /** Speed of each answer; undefined: as fast as the machine allows. */
  readonly tokensPerSecond?: number
  /** Time from the request to the first token; default 0. */
  readonly timeToFirstTokenMs?: number
  /** Default `v1`. */
  readonly dialect?: Dialect
  /** Required on every path under /v1, as in vLLM. */
  readonly apiKey?: string
  /** Prompt and answer together, in tokens; default 8192. */
  readonly maxModelLen?: number
  /** Largest `logprobs` and `prompt_logprobs`; default 20. */
  readonly maxLogprobs?: number
  /** The server's `--return-tokens-as-token-ids`; default false. */
  readonly returnTokensAsTokenIds?: boolean
  /** The server's `--reasoning-parser`, as it treats text before the end of a thought: chats go to `reasoning`. Default false. */
  readonly reasoningParser?: boolean
  /** The chat template writes today's date into every prompt, as that of Llama 3.2 does. Default false. */
  readonly templateDate?: boolean
  /** Default `raw` in `v1`, `processed` in `v0`. `processed`: after penalties, temperature and cuts, so 0 where one token is left. */
  readonly logprobsMode?: 'raw' | 'processed'
  /** How tokens are drawn; default `murmur3` in `v1` (vLLM 0.31 and 0.32), `generator` in `v0`. */
  readonly sampler?: SamplerName
  /** Default none: the same tokens have the same logprobs, generated or scored. */
  readonly numericNoise?: NumericNoise
  /** For requests without these fields, as servers take them from generation_config.json, which has them too. Default none. */
  readonly samplingDefaults?: SamplingDefaults
  /** Tokens per chunk of a stream: more than one happens with slow readers and speculative decoding. Default 1. */
  readonly tokensPerChunk?: number
  /**
   * The part that sends lags behind the one that generates, by this long after each chunk: a chunk has all tokens that were due
   * meanwhile, as in vLLM whenever its API server is late. 0: only when this process really is late. Default: never merged.
   * Needs `tokensPerSecond`: otherwise all tokens are due at once.
   */
  readonly sendLagMs?: number
  /** Concurrent answers; further requests wait. Default 256. */
  readonly maxConcurrentSequences?: number
}

export interface DevelopmentEngineDeps {
  readonly clock: Clock
  /** Closes the engine when it aborts. */
  readonly signal?: AbortSignal
}
