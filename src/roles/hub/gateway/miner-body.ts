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
 * max_tokens, seed and sampling. Without usage at the end the prompt could not be counted.
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

/**
 * OpenAI's defaults, and no cut of its own by the server: a miner would otherwise apply those of the model's
 * generation_config.json to what the user leaves open, and a cut answer can hardly be compared with the model.
 */
const DEFAULTS: JsonObject = { temperature: 1, top_p: 1, top_k: -1, min_p: 0, repetition_penalty: 1 }

function verifiable(body: ChatBody | CompletionBody, sampling: Sampling): JsonObject {
  const given = Object.entries(body).filter(([, value]) => value !== null && value !== undefined)
  const open = Object.entries(DEFAULTS).filter(([name]) => !given.some(([member]) => member === name))
  return {
    stream: true,
    stream_options: { include_usage: true },
    seed: body.seed ?? sampling.seed(),
    ...Object.fromEntries(open),
  }
}
