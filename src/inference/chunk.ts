import { type Fields, isFields } from './fields.js'
import type { Endpoint, OutputToken } from './types.js'

/** What one chunk of a stream says. */
export interface ChunkContent {
  readonly text: string
  readonly tokens: readonly OutputToken[]
  readonly finishReason: string | undefined
  /** More than one token, not all with ids: the stream cannot be checked token by token. */
  readonly lostTokens: boolean
}

const NOTHING: ChunkContent = { text: '', tokens: [], finishReason: undefined, lostTokens: false }

/**
 * The one reader of a chunk of either route, live or recorded. All elements of its logprobs count; a token with empty text
 * (a special token, half a character) counts; a usage chunk without choices says nothing.
 *
 * @returns the content, or a text that says why this is no chunk of a stream with one choice.
 */
export function readChunk(endpoint: Endpoint, chunk: unknown): ChunkContent | string {
  if (!isFields(chunk)) return 'a chunk is no object'
  if (chunk.error !== undefined && chunk.error !== null) return `the server reported ${describe(chunk.error)}`
  if (chunk.object === 'error') return `the server reported ${describe(chunk)}`
  const choices = chunk.choices
  if (!Array.isArray(choices)) return 'a chunk has no choices'
  if (choices.length === 0) return isFields(chunk.usage) ? NOTHING : 'a chunk has neither choices nor usage'
  if (choices.length > 1) return 'a chunk has more than one choice'
  const choice: unknown = choices[0]
  if (!isFields(choice)) return 'a choice is no object'
  const finish = choice.finish_reason
  const holder = endpoint === 'chat' ? choice.delta : choice
  if (!isFields(holder)) return 'a choice has no delta'
  const text = holder[endpoint === 'chat' ? 'content' : 'text'] ?? ''
  if (typeof text !== 'string') return 'the text of a chunk is no text'
  const tokens = readTokens(endpoint, choice.logprobs, text)
  if (typeof tokens === 'string') return tokens
  return {
    text,
    tokens,
    finishReason: typeof finish === 'string' ? finish : undefined,
    lostTokens: tokens.length > 1 && tokens.some((token) => token.tokenId === undefined),
  }
}

/** Text of a chunk belongs to its first token; without logprobs a chunk with text is one token nobody can check. */
function readTokens(endpoint: Endpoint, logprobs: unknown, text: string): OutputToken[] | string {
  const entries = isFields(logprobs)
    ? endpoint === 'chat'
      ? chatEntries(logprobs)
      : completionEntries(logprobs)
    : []
  if (typeof entries === 'string') return entries
  if (entries.length === 0) return text === '' ? [] : [{ text, tokenId: undefined, logprob: undefined }]
  return entries.map(([token, logprob], index) => ({
    text: index === 0 ? text : '',
    tokenId: readTokenId(token),
    logprob: typeof logprob === 'number' ? logprob : undefined,
  }))
}

function chatEntries(logprobs: Fields): [unknown, unknown][] | string {
  const content = logprobs.content ?? []
  if (!Array.isArray(content)) return 'logprobs.content is no list'
  return content.map((entry: unknown) => (isFields(entry) ? [entry.token, entry.logprob] : [null, null]))
}

function completionEntries(logprobs: Fields): [unknown, unknown][] | string {
  const tokens = logprobs.tokens ?? []
  const values = logprobs.token_logprobs ?? []
  if (!Array.isArray(tokens) || !Array.isArray(values)) return 'logprobs.tokens is no list'
  const length = Math.max(tokens.length, values.length)
  return Array.from({ length }, (_, index) => [tokens[index], values[index]])
}

/** `token_id:<n>` as vLLM writes it; anything else names no token. */
function readTokenId(token: unknown): number | undefined {
  const digits = typeof token === 'string' ? /^token_id:(-?\d{1,15})$/.exec(token)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}

/** A short account of an error object of either vLLM dialect. */
function describe(error: unknown): string {
  const message = isFields(error) ? error.message : error
  return typeof message === 'string' ? `"${message.slice(0, 200)}"` : 'an error'
}
