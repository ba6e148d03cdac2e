import type { z } from 'zod'
import { isReproducible } from '../../../inference/index.js'
import { exceedsJsonBounds, type JsonObject } from '../../../kernel/index.js'
import { createRequestPolicy, findDistantMedia, findViolation, parseBody } from '../../../routing/index.js'
import type { UserRequest } from '../asking/index.js'
import { type ChatBody, type CompletionBody, chatBody, completionBody, plainBody } from './body-schemas.js'
import { invalidBody } from './gateway-error.js'
import { chatForMiner, completionForMiner, type Sampling } from './miner-body.js'
import { promptTokensBound } from './tokens-bound.js'

/** Requests nest less than ten levels, JSON schemas of tools twenty; the longest prompt of token ids has as many values. */
const BOUNDS = { depth: 32, values: 262_144 }

/** Parts besides text, whose files must stand in the request itself. */
const MEDIA = ['image_url', 'input_audio', 'audio_url', 'video_url']

const policy = createRequestPolicy({ content: MEDIA })

/** What a user asked for. */
export interface ReadRequest {
  readonly request: UserRequest
  /** Whether validators can verify the answer. */
  readonly isReproducible: boolean
  readonly isStreamed: boolean
  readonly wantsLogprobs: boolean
  /** The user wants tokens named by their ids, as miners name them. */
  readonly wantsTokenIds: boolean
  readonly wantsUsage: boolean
  /** The most that the request can use. */
  readonly promptTokens: number
  readonly answerTokens: number
}

export type Route = 'chat' | 'completion' | 'plain'

/** @throws GatewayError 400 */
export function readUserRequest(route: Route, path: string, bytes: Buffer, sampling: Sampling): ReadRequest {
  if (exceedsJsonBounds(bytes, BOUNDS))
    throw invalidBody(`The body is nested deeper than ${BOUNDS.depth} levels or has too many values.`)
  const body = parseBody(bytes)
  if (body === undefined) throw invalidBody('The body is not a JSON object.')
  const place = findDistantMedia(body)
  if (place !== undefined)
    throw invalidBody(
      `The file at ${place} must be a data: URL: the hub does not let miners fetch files.`,
      place.split(/[.[]/)[0],
    )
  if (route === 'plain') return readPlain(path, body, bytes.length, sampling)
  const parsed = parse(route === 'chat' ? chatBody : completionBody, body)
  const violation = policy === undefined ? undefined : findViolation(body, policy)
  if (violation !== undefined) throw invalidBody(violation.message, violation.member)
  return route === 'chat'
    ? readChat(path, parsed as ChatBody, sampling)
    : readCompletion(path, parsed as CompletionBody, sampling)
}

function readChat(path: string, body: ChatBody, sampling: Sampling): ReadRequest {
  const isVerifiable = answersOf(body) === 1 && !hasMedia(body)
  const asked = chatForMiner(body, sampling, isVerifiable)
  const request = {
    ...{ path, model: body.model, body: asked.body, maxTokens: asked.maxTokens * answersOf(body) },
    endpoint: isVerifiable ? ('chat' as const) : undefined,
  }
  return readingOf(request, body, body.logprobs === true)
}

function readCompletion(path: string, body: CompletionBody, sampling: Sampling): ReadRequest {
  const isVerifiable = answersOf(body) === 1 && typeof body.prompt === 'string' && body.echo !== true
  const asked = completionForMiner(body, sampling, isVerifiable)
  const request = {
    ...{ path, model: body.model, body: asked.body, maxTokens: asked.maxTokens * answersOf(body) },
    endpoint: isVerifiable ? ('completion' as const) : undefined,
  }
  return readingOf(request, body, typeof body.logprobs === 'number' || body.logprobs === true)
}

function readingOf(
  request: UserRequest,
  body: ChatBody | CompletionBody,
  wantsLogprobs: boolean,
): ReadRequest {
  return {
    request,
    isReproducible: request.endpoint !== undefined && isReproducible(request.body),
    isStreamed: body.stream === true,
    wantsLogprobs,
    wantsTokenIds: body.return_tokens_as_token_ids === true,
    wantsUsage: body.stream_options?.include_usage === true,
    promptTokens: promptTokensBound(body),
    answerTokens: request.maxTokens,
  }
}

/** Routes that validators do not verify. Only the limits of tokens are changed. */
function readPlain(path: string, body: JsonObject, bytes: number, { maxTokens }: Sampling): ReadRequest {
  const parsed = parse(plainBody, body)
  const isEmbedding = path === '/v1/embeddings'
  const limitOf = (given: number | null | undefined) => Math.min(given ?? maxTokens, maxTokens)
  const limits =
    path === '/v1/responses'
      ? { max_output_tokens: limitOf(parsed.max_output_tokens) }
      : { max_tokens: limitOf(parsed.max_tokens) }
  const answerTokens = isEmbedding ? 0 : (Object.values(limits)[0] ?? 0)
  const request = {
    ...{ path, model: parsed.model, endpoint: undefined, maxTokens: answerTokens },
    body: isEmbedding ? body : { ...body, ...limits },
  }
  const isStreamed = body.stream === true
  return {
    ...{
      request,
      isReproducible: false,
      isStreamed,
      wantsLogprobs: true,
      wantsTokenIds: true,
      wantsUsage: true,
    },
    ...{ promptTokens: bytes, answerTokens },
  }
}

function parse<S extends z.ZodType>(schema: S, body: JsonObject): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const place = (issue?.path ?? []).map(String)
  const what = place.length === 0 ? 'The body' : `"${place.join('.').slice(0, 100)}"`
  throw invalidBody(`${what} is invalid: ${issue?.message ?? 'unknown reason'}.`, place[0])
}

/** How many answers are asked for. */
function answersOf(body: ChatBody | CompletionBody): number {
  const prompts = Array.isArray(body.prompt) && typeof body.prompt[0] !== 'number' ? body.prompt.length : 1
  return (body.n ?? 1) * prompts
}

function hasMedia({ messages }: ChatBody): boolean {
  const parts = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []))
  return parts.some((part: { readonly type?: unknown }) => MEDIA.includes(String(part?.type)))
}
