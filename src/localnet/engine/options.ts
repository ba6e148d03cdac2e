import type { Clock } from '../../kernel/index.js'
import type { BehaviourName } from './behaviour/index.js'
import type { EngineFault } from './http/index.js'

/** `v1`: a current vLLM. `v0`: vLLM 0.6.2, whose differences docs/development-engine.md lists. */
export type Dialect = 'v0' | 'v1'

export interface DevelopmentEngineOptions {
  /** 0 = any free port. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Names served, at least one. Names of `DEVELOPMENT_MODELS` are models of their own; others get one made up. */
  readonly models: readonly string[]
  /** Default `honest`. */
  readonly behaviour?: BehaviourName
  /** What is wrong with it from the start; default nothing. */
  readonly fault?: EngineFault
  /** Connections are reset for so long, as while a model is being loaded; default 0. */
  readonly readyAfterMs?: number
  /** Speed of each answer; undefined = as fast as the machine goes. */
  readonly tokensPerSecond?: number
  /** From the request to the first token; default 0. */
  readonly timeToFirstTokenMs?: number
  /** Default `v1`. */
  readonly dialect?: Dialect
  /** Asked for on every path under /v1, as vLLM does. */
  readonly apiKey?: string
  /** Prompt and answer together, in tokens; default 8192. */
  readonly maxModelLen?: number
  /** Largest `logprobs` and `prompt_logprobs`; default 20. */
  readonly maxLogprobs?: number
  /** The server's `--return-tokens-as-token-ids`; default false. */
  readonly returnTokensAsTokenIds?: boolean
  /** Default raw in `v1`, processed in `v0`. */
  readonly logprobsMode?: 'raw' | 'processed'
  /** Tokens in one chunk of a stream, as after a slow reader or with speculative decoding; default 1. */
  readonly tokensPerChunk?: number
  /** Answers under way at once; more wait. Default 256. */
  readonly maxConcurrentSequences?: number
}

export interface DevelopmentEngineDeps {
  readonly clock: Clock
  /** Closes the engine when it aborts. */
  readonly signal?: AbortSignal
}
