import type { Answer, ChatMessage, InferenceRequest } from '../inference/index.js'

/** Reference distribution at one position, from the engine's prompt_logprobs, by token id. */
export type ReferencePosition = ReadonlyMap<number, { readonly logprob: number; readonly rank: number }>

/** Result of a scoring call: the reference of every output position, and the top of the next-token distribution. */
export interface Reference {
  /** `positions[i]` belongs to output token i and always contains that token. */
  readonly positions: readonly ReferencePosition[]
  /** Top of the distribution after the last output token. */
  readonly next: ReferencePosition
}

/** How a server truncates distributions when a request does not say. */
export interface SamplingDefaults {
  readonly topP?: number
  readonly topK?: number
  readonly minP?: number
}

/** What is known about a model and the servers that run it. The first three come from the model's files. */
export interface ModelFacts {
  readonly vocabularySize: number
  readonly eosTokenIds: readonly number[]
  /** top_p, top_k and min_p of the model's generation_config.json, if any. */
  readonly samplingDefaults?: SamplingDefaults
  /** Id of the tokenizer's own end token (eos_token of tokenizer_config.json), undefined when it names none. */
  readonly tokenizerEosId?: number | undefined
  /** Ids that servers leave out of the text (special tokens of tokenizer_config.json); undefined when it lists none. */
  readonly specialTokenIds?: ReadonlySet<number> | undefined
  /** Id of the end-of-turn token, undefined when the vocabulary has none. */
  readonly endOfTurnId: number | undefined
  /** `chat` only when the tokenizer has a chat template. */
  readonly endpoints: readonly ('chat' | 'completion')[]
  /** Largest number of logprobs and prompt_logprobs the server returns per position. */
  readonly maxLogprobs: number
  /** `v0`: vLLM 0.6.x (token ids by server flag, unknown fields rejected). `v1`: current vLLM. */
  readonly dialect: 'v0' | 'v1'
  /** True when prompt logprobs are scaled by temperature (V0), false when they are raw (V1); measured by the probe. */
  readonly scaledLogprobs: boolean
  /** Maximum of prompt and output tokens together; undefined when the server does not report it. */
  readonly maxModelLength: number | undefined
}

export interface ScoreRequest {
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly temperature: number
  /** Entries requested per position; capped at the server's maximum. */
  readonly topK: number
}

/** What scoring has cost since the start. */
export interface ScoringWork {
  readonly calls: number
  readonly answers: number
  /** Of prompts and answers. */
  readonly tokens: number
}

export interface TokenizeOptions {
  /** Whether the tokenizer adds its start token. Default: true. */
  readonly addSpecialTokens?: boolean
}

/**
 * A validator's engine for one model: one vLLM server, or several replicas.
 *
 * Every call throws TargonError with fault `upstream`: ENGINE_UNAVAILABLE (down, slow, out of memory),
 * ENGINE_ANSWER (an invalid response) or ENGINE_REFUSED (a 4xx for this request).
 */
export interface ReferenceEngine {
  readonly model: string
  /** Undefined until the engine was ready for the first time. */
  readonly facts: ModelFacts | undefined
  /** Why no server accepts calls; undefined while one does. */
  readonly unreadyReason: string | undefined
  /** How fast it generated lately, in tokens per second; undefined or absent while unknown. */
  readonly generatedTokensPerSecond?: number | undefined
  /** What scoring has cost since the start; absent where it is not counted. */
  readonly scoringWork?: () => ScoringWork
  /** The servers behind it that accept calls; absent where they cannot be told apart. */
  readonly servers?: () => readonly EngineServerView[]
  tokenizeChat(messages: readonly ChatMessage[], signal: AbortSignal): Promise<readonly number[]>
  tokenizeText(prompt: string, signal: AbortSignal, options?: TokenizeOptions): Promise<readonly number[]>
  detokenize(ids: readonly number[], signal: AbortSignal): Promise<string>
  score(request: ScoreRequest, signal: AbortSignal): Promise<Reference>
  /** Generates a short text; used to rewrite questions. */
  generate(
    request: { messages: readonly ChatMessage[]; maxTokens: number; temperature: number },
    signal: AbortSignal,
  ): Promise<string>
}

/** One server of an engine: the calls of an engine, made to this server alone, and what it is. */
export interface EngineServerView extends ReferenceEngine {
  readonly url: string
  /** Calls of this process are under way, which more calls would slow down. */
  readonly isBusy: boolean
  /** Generates an answer as a miner would. Faults are in the answer. */
  ask(request: InferenceRequest, signal: AbortSignal): Promise<Answer>
  /**
   * Version, limits and the options that the server shows, by name. Two servers that differ in one of them may differ in
   * their numbers.
   */
  describe(signal: AbortSignal): Promise<Readonly<Record<string, string>>>
}
