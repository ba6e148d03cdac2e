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
  /** Id of the end-of-turn token, undefined when the vocabulary has none. */
  readonly endOfTurnId: number | undefined
  /** `chat` only when the tokenizer has a chat template. */
  readonly endpoints: readonly ('chat' | 'completion')[]
  /** Largest K the server answers for logprobs and prompt_logprobs. */
  readonly maxLogprobs: number
  /** Server speaks vLLM 0.6.x (server flag, unknown fields refused, scaled logprobs) or the current dialect. */
  readonly dialect: 'v0' | 'v1'
}

/**
 * A validator's own model server for one model, or several replicas of it.
 *
 * @throws TargonError ENGINE_UNAVAILABLE (fault upstream): the validator's own fault, never a miner's.
 */
export interface ReferenceEngine {
  readonly model: string
  /** Undefined while not ready; `unreadyReason` says why. */
  readonly facts: ModelFacts | undefined
  readonly unreadyReason: string | undefined
  tokenizeChat(messages: readonly ChatMessage[], signal: AbortSignal): Promise<readonly number[]>
  tokenizeText(prompt: string, signal: AbortSignal): Promise<readonly number[]>
  detokenize(ids: readonly number[], signal: AbortSignal): Promise<string>
  score(
    request: {
      input: readonly number[]
      output: readonly number[]
      temperature: number
      seed?: number
      topK: number
    },
    signal: AbortSignal,
  ): Promise<Reference>
  /** Short free generation, used to rewrite a question. */
  generate(
    request: { messages: readonly ChatMessage[]; maxTokens: number; temperature: number },
    signal: AbortSignal,
  ): Promise<string>
}
