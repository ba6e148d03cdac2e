import type { ChatMessage } from '../inference/index.js'

/** Reference distribution at one position, from the engine's prompt_logprobs. Keys are token ids. */
export type ReferencePosition = ReadonlyMap<number, { readonly logprob: number; readonly rank: number }>

/** One scoring call: reference for every output position, and the top of the next-token distribution. */
export interface Reference {
  /** `positions[i]` belongs to output token i; always holds that token itself. */
  readonly positions: readonly ReferencePosition[]
  /** Top of the distribution after the last output token. */
  readonly next: ReferencePosition
}

/** What HTTP does not tell about a model, from its config.json / generation_config.json. */
export interface ModelFacts {
  readonly vocabularySize: number
  readonly eosTokenIds: readonly number[]
  /** top_p and top_k of the model's generation_config.json, where it has them. */
  readonly samplingDefaults?: { readonly topP?: number; readonly topK?: number }
  /** Id of the end-of-turn token, undefined when the vocabulary has none. */
  readonly endOfTurnId: number | undefined
  /** `chat` only when the tokenizer has a chat template. */
  readonly endpoints: readonly ('chat' | 'completion')[]
  /** Largest K the server answers for logprobs and prompt_logprobs. */
  readonly maxLogprobs: number
  /** Server speaks vLLM 0.6.x (server flag, unknown fields refused) or the current dialect. */
  readonly dialect: 'v0' | 'v1'
  /** True when prompt logprobs are after temperature (V0), false when they are the raw model's (V1); measured. */
  readonly scaledLogprobs: boolean
  /** Most tokens of prompt and output together; undefined when the server does not say. */
  readonly maxModelLength: number | undefined
}

export interface ScoreRequest {
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly temperature: number
  readonly seed?: number
  /** Entries wanted per position; capped by the server's maximum. */
  readonly topK: number
}

export interface TokenizeOptions {
  /** Whether the tokenizer puts its own start token in front; true unless said otherwise. */
  readonly addSpecialTokens?: boolean
}

/**
 * A validator's own model server for one model, or several replicas of it.
 *
 * Every call throws TargonError with fault `upstream`: ENGINE_UNAVAILABLE (down, slow, out of memory),
 * ENGINE_ANSWER (an answer that makes no sense) or ENGINE_REFUSED (a 4xx for this very request).
 */
export interface ReferenceEngine {
  readonly model: string
  /** Undefined until it was ready once. */
  readonly facts: ModelFacts | undefined
  /** Why no server of it takes calls now; undefined while one does. */
  readonly unreadyReason: string | undefined
  tokenizeChat(messages: readonly ChatMessage[], signal: AbortSignal): Promise<readonly number[]>
  tokenizeText(prompt: string, signal: AbortSignal, options?: TokenizeOptions): Promise<readonly number[]>
  detokenize(ids: readonly number[], signal: AbortSignal): Promise<string>
  score(request: ScoreRequest, signal: AbortSignal): Promise<Reference>
  /** Short free generation, used to rewrite a question. */
  generate(
    request: { messages: readonly ChatMessage[]; maxTokens: number; temperature: number },
    signal: AbortSignal,
  ): Promise<string>
}
