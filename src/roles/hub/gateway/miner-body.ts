import { arrangeMembers, NEUTRAL_SAMPLING } from '../../../inference/index.js'
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
 * What the user asks, and what verification needs: a streamed answer with log probabilities, and explicit max_tokens, seed and
 * sampling. Without usage at the end the prompt could not be counted. A request to one answer has the members, in one of the
 * orders, of the requests that validators make up (prompts/ and inference/request.ts), so that miners cannot tell them apart by
 * anything but what the user asks.
 */
export function chatForMiner(body: ChatBody, sampling: Sampling, isVerifiable: boolean): MinerBody {
  const asked = body.max_completion_tokens ?? body.max_tokens
  return forMiner(
    body,
    asked,
    sampling,
    isVerifiable ? { ...verifiable(body, sampling), logprobs: true } : {},
  )
}

/** A number of log probabilities that the user wants stays; vLLM reads `true` as 1. */
export function completionForMiner(
  body: CompletionBody,
  sampling: Sampling,
  isVerifiable: boolean,
): MinerBody {
  const logprobs = typeof body.logprobs === 'number' ? body.logprobs : true
  return forMiner(
    body,
    body.max_tokens,
    sampling,
    isVerifiable ? { ...verifiable(body, sampling), logprobs } : {},
  )
}

/** Members that say who asks, or what OpenAI keeps about it. Model servers ignore them, and miners need not know. */
const ABOUT_THE_USER = new Set([
  ...['user', 'safety_identifier', 'metadata', 'store', 'service_tier'],
  ...['prompt_cache_key', 'prompt_cache_retention'],
])

function forMiner(
  given: ChatBody | CompletionBody,
  asked: number | null | undefined,
  { maxTokens: most, defaultTokens, seed }: Sampling,
  added: JsonObject,
): MinerBody {
  const maxTokens = Math.min(asked ?? defaultTokens, most)
  // max_tokens alone says it to every server.
  const { max_completion_tokens: _, ...members } = given as JsonObject
  const stated = Object.entries(members).filter(
    ([name, value]) => value !== null && value !== undefined && !ABOUT_THE_USER.has(name),
  )
  const body = { ...Object.fromEntries(stated), max_tokens: maxTokens, ...added }
  return { body: arrangeMembers(body, seed()), maxTokens }
}

/**
 * OpenAI's defaults, and no cut of its own by the server: a miner would otherwise apply those of the model's
 * generation_config.json to what the user leaves open, and a cut answer can hardly be compared with the model.
 */
const DEFAULTS: JsonObject = { temperature: 1, ...NEUTRAL_SAMPLING }

function verifiable(body: ChatBody | CompletionBody, sampling: Sampling): JsonObject {
  const open = Object.entries(DEFAULTS).filter(([name]) => body[name] === null || body[name] === undefined)
  return {
    stream: true,
    stream_options: { include_usage: true },
    seed: body.seed ?? sampling.seed(),
    ...Object.fromEntries(open),
  }
}
