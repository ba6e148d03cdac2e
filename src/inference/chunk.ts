import { isJsonObject, type JsonObject } from '../kernel/index.js'
import { cleanErrorText } from './error-text.js'
import type { Endpoint, OutputToken, StreamFault } from './types.js'

/** The content of one chunk of a stream. */
export interface ChunkContent {
  readonly text: string
  readonly tokens: readonly OutputToken[]
  readonly finishReason: string | undefined
  /** The chunk has several tokens and not all of their ids, so the stream cannot be verified token by token. */
  readonly lostTokens: boolean
}

const EMPTY: ChunkContent = { text: '', tokens: [], finishReason: undefined, lostTokens: false }

/**
 * Reads a chunk of either route, live or recorded. Every element of its logprobs is a token, also with empty text (a
 * special token, half a character). A chunk without choices is empty: usage at the end, results of a prompt filter at the
 * start. What a server's parsers moved to reasoning or tool calls was generated like any other text and is read as text.
 *
 * @param room how many more tokens the answer may have. A longer list is rejected before anything is allocated for it: a
 *   miner pays two bytes per claimed token.
 * @returns the content, or why this is not a chunk of a stream with one choice.
 */
export function readChunk(endpoint: Endpoint, chunk: unknown, room: number): ChunkContent | StreamFault {
  if (!isJsonObject(chunk)) return badStream('a chunk is not an object')
  if (chunk.error !== undefined && chunk.error !== null)
    return badStream(`the server reported ${describe(chunk.error)}`)
  if (chunk.object === 'error') return badStream(`the server reported ${describe(chunk)}`)
  const choices = chunk.choices
  if (!Array.isArray(choices)) return badStream('a chunk has no choices')
  if (choices.length === 0) return EMPTY
  if (choices.length > 1) return badStream('a chunk has more than one choice')
  const choice: unknown = choices[0]
  if (!isJsonObject(choice)) return badStream('a choice is not an object')
  const finish = choice.finish_reason
  const holder = endpoint === 'chat' ? choice.delta : choice
  if (!isJsonObject(holder)) return badStream('a choice has no delta')
  const text = endpoint === 'chat' ? textOfDelta(holder) : (holder.text ?? '')
  if (typeof text !== 'string') return badStream('the text of a chunk is not a string')
  const tokens = readTokens(endpoint, choice.logprobs, text, room)
  if ('cause' in tokens) return tokens
  return {
    text,
    tokens,
    finishReason: typeof finish === 'string' ? finish : undefined,
    lostTokens: tokens.length > 1 && tokens.some((token) => token.tokenId === undefined),
  }
}

/** vLLM names the reasoning `reasoning_content`, since 0.11 `reasoning`; one chunk may have the end of it and the first content. */
function textOfDelta({ reasoning_content, reasoning, content, tool_calls }: JsonObject): unknown {
  if (typeof (content ?? '') !== 'string') return content
  const calls = Array.isArray(tool_calls) ? tool_calls.flatMap(textsOfCall) : []
  const texts = [reasoning_content ?? reasoning, content, ...calls]
  return texts.filter((text) => typeof text === 'string').join('')
}

function textsOfCall(call: unknown): unknown[] {
  const called = isJsonObject(call) ? call.function : undefined
  return isJsonObject(called) ? [called.name, called.arguments] : []
}

function badStream(detail: string): StreamFault {
  return { cause: 'BAD_STREAM', detail }
}

/** The text of a chunk belongs to its first token. Without logprobs, a chunk with text is one token that cannot be verified. */
function readTokens(
  endpoint: Endpoint,
  logprobs: unknown,
  text: string,
  room: number,
): OutputToken[] | StreamFault {
  const lists = isJsonObject(logprobs) ? listsOf(endpoint, logprobs) : []
  if (!lists.every((list) => Array.isArray(list))) return badStream('the logprobs of a chunk are not a list')
  const [first = [], second] = lists
  const listed = Math.max(first.length, second?.length ?? 0)
  const count = listed === 0 && text !== '' ? 1 : listed
  if (count > room) return { cause: 'STREAM_LIMIT', detail: 'the stream had more tokens than requested' }
  if (listed === 0) return text === '' ? [] : [{ text, tokenId: undefined, logprob: undefined }]
  return Array.from({ length: listed }, (_, index) => {
    const entry: unknown = first[index]
    const [token, logprob] = second
      ? [entry, second[index]]
      : isJsonObject(entry)
        ? [entry.token, entry.logprob]
        : [undefined, undefined]
    return {
      text: index === 0 ? text : '',
      tokenId: readTokenId(token),
      logprob: typeof logprob === 'number' ? logprob : undefined,
      ...(index > 0 ? { sharesText: true } : {}),
    }
  })
}

/** Chats list tokens together with their logprobs, completions in two parallel lists. */
function listsOf(endpoint: Endpoint, logprobs: JsonObject): unknown[] {
  return endpoint === 'chat'
    ? [logprobs.content ?? []]
    : [logprobs.tokens ?? [], logprobs.token_logprobs ?? []]
}

/** `token_id:<n>` as vLLM writes it; anything else has no id. */
function readTokenId(token: unknown): number | undefined {
  const digits = typeof token === 'string' ? /^token_id:(-?\d{1,15})$/.exec(token)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}

/** The message of an error object of either vLLM dialect. */
function describe(error: unknown): string {
  const message = isJsonObject(error) ? error.message : error
  return typeof message === 'string' ? `"${cleanErrorText(message)}"` : 'an error'
}
