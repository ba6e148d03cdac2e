import type { JsonObject } from '../../../kernel/index.js'
import type { ChatBody, CompletionBody } from './body-schemas.js'

/** What the hub adds to requests. */
export interface Sampling {
  /** Largest max_tokens. */
  readonly maxTokens: number
  /** max_tokens of requests that name none. */
  readonly defaultTokens: number
  /** A seed for a request that has none, 1 … 2³¹−1. */
  readonly seed: () => number
}

interface MinerBody {
  readonly body: JsonObject
  readonly maxTokens: number
}

/**
 * The user's members unchanged, and what verification needs: a streamed answer with log probabilities, and explicit
 * max_tokens, seed and temperature. Without usage at the end the prompt could not be counted.
 */
export function chatForMiner(body: ChatBody, sampling: Sampling, isVerifiable: boolean): MinerBody {
  const maxTokens = tokensFor(body.max_completion_tokens ?? body.max_tokens, sampling)
  const limits = {
    max_tokens: maxTokens,
    ...(body.max_completion_tokens ? { max_completion_tokens: maxTokens } : {}),
  }
  if (!isVerifiable) return { body: { ...body, ...limits }, maxTokens }
  return { body: { ...body, ...limits, ...verifiable(body, sampling), logprobs: true }, maxTokens }
}

/** A number of log probabilities that the user wants stays; vLLM reads `true` as 1. */
export function completionForMiner(
  body: CompletionBody,
  sampling: Sampling,
  isVerifiable: boolean,
): MinerBody {
  const maxTokens = tokensFor(body.max_tokens, sampling)
  const limits = { max_tokens: maxTokens }
  if (!isVerifiable) return { body: { ...body, ...limits }, maxTokens }
  const logprobs = typeof body.logprobs === 'number' ? body.logprobs : true
  return { body: { ...body, ...limits, ...verifiable(body, sampling), logprobs }, maxTokens }
}

function tokensFor(asked: number | null | undefined, { maxTokens, defaultTokens }: Sampling): number {
  return Math.min(asked ?? defaultTokens, maxTokens)
}

function verifiable({ seed, temperature }: ChatBody | CompletionBody, sampling: Sampling): JsonObject {
  return {
    stream: true,
    stream_options: { include_usage: true },
    seed: seed ?? sampling.seed(),
    temperature: temperature ?? 1,
  }
}
