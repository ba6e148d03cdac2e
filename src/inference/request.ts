import type { JsonObject } from '../kernel/index.js'
import type { Endpoint, InferenceRequest } from './types.js'

/** Path of an endpoint on a miner. */
export function pathOf(endpoint: Endpoint): string {
  return endpoint === 'chat' ? '/v1/chat/completions' : '/v1/completions'
}

/**
 * Cuts and penalties of a sampler, each with the value that switches it off. A server applies the model's
 * generation_config.json to those that a request omits. vLLM 0.6.x refuses 0 for top_k and unknown fields; it and SGLang know
 * all of these.
 */
export const NEUTRAL_SAMPLING = {
  top_p: 1,
  top_k: -1,
  min_p: 0,
  presence_penalty: 0,
  frequency_penalty: 0,
  repetition_penalty: 1,
}

/**
 * The JSON body of a request, with the fields in the order of its layout. Exactly these bytes are hashed, signed and sent.
 * `logprobs` is `true` on both routes: vLLM reads it as 1 for completions.
 *
 * @param more members that only one's own server is sent
 */
export function encodeRequest(request: InferenceRequest, more: object = {}): Uint8Array {
  const { seed, maxTokens, temperature, model, mayBeCut, asksForUsage } = request
  const prompt = request.endpoint === 'chat' ? { messages: request.messages } : { prompt: request.prompt }
  const body = {
    ...(seed === undefined ? {} : { seed }),
    max_tokens: maxTokens,
    temperature,
    model,
    stream: true,
    logprobs: true,
    ...(asksForUsage ? { stream_options: { include_usage: true } } : {}),
    ...prompt,
    ...(mayBeCut ? {} : NEUTRAL_SAMPLING),
    ...more,
  }
  return Buffer.from(JSON.stringify(arrangeMembers(body, request.layout)), 'utf8')
}

/** How OpenAI's Python client orders the members it knows; others come last. */
const PYTHON = [
  ...['messages', 'model', 'prompt', 'frequency_penalty', 'logprobs', 'max_tokens', 'presence_penalty'],
  ...['seed', 'stream', 'stream_options', 'temperature', 'top_p'],
]

/** The members in the order of a layout (`InferenceRequest.layout`); without one, as they are. */
export function arrangeMembers(body: object, layout: number | undefined): JsonObject {
  if (layout === undefined) return { ...body }
  const rank = RANKS[layout % RANKS.length]
  const members = Object.entries(body).map((member) => ({ member, rank: rank?.(member[0], layout) ?? 0 }))
  members.sort((a, b) => a.rank - b.rank || (a.member[0] < b.member[0] ? -1 : 1))
  return Object.fromEntries(members.map(({ member }) => member))
}

/** Orders in which clients write members: the lowest rank comes first, equal ones by name. */
const RANKS: readonly ((name: string, layout: number) => number)[] = [
  (name) => {
    const place = PYTHON.indexOf(name)
    return place < 0 ? PYTHON.length : place
  },
  // Go sorts by name.
  () => 0,
  // As people write it: the model, what is asked, and the rest as it comes to mind.
  askedFirst,
  askedFirst,
]

function askedFirst(name: string, layout: number): number {
  if (name === 'model') return -2
  return name === 'messages' || name === 'prompt' ? -1 : scramble(layout, name)
}

/** A number that looks random for each layout and name (FNV-1a with a final mix), 0 … 2³²−1. */
function scramble(layout: number, name: string): number {
  let hash = 0x811c9dc5 ^ layout
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}
