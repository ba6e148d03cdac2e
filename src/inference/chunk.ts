import { type Fields, isFields } from './fields.js'
import type { Endpoint, OutputToken, StreamFault } from './types.js'

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
 * @param room how many more tokens the answer may have: nothing is made of a list that claims more, at two bytes each.
 * @returns the content, or why this is no chunk of a stream with one choice.
 */
export function readChunk(endpoint: Endpoint, chunk: unknown, room: number): ChunkContent | StreamFault {
  if (!isFields(chunk)) return bad('a chunk is no object')
  if (chunk.error !== undefined && chunk.error !== null)
    return bad(`the server reported ${describe(chunk.error)}`)
  if (chunk.object === 'error') return bad(`the server reported ${describe(chunk)}`)
  const choices = chunk.choices
  if (!Array.isArray(choices)) return bad('a chunk has no choices')
  if (choices.length === 0)
    return isFields(chunk.usage) ? NOTHING : bad('a chunk has neither choices nor usage')
  if (choices.length > 1) return bad('a chunk has more than one choice')
  const choice: unknown = choices[0]
  if (!isFields(choice)) return bad('a choice is no object')
  const finish = choice.finish_reason
  const holder = endpoint === 'chat' ? choice.delta : choice
  if (!isFields(holder)) return bad('a choice has no delta')
  const text = holder[endpoint === 'chat' ? 'content' : 'text'] ?? ''
  if (typeof text !== 'string') return bad('the text of a chunk is no text')
  const tokens = readTokens(endpoint, choice.logprobs, text, room)
  if ('cause' in tokens) return tokens
  return {
    text,
    tokens,
    finishReason: typeof finish === 'string' ? finish : undefined,
    lostTokens: tokens.length > 1 && tokens.some((token) => token.tokenId === undefined),
  }
}

function bad(detail: string): StreamFault {
  return { cause: 'BAD_STREAM', detail }
}

/** Text of a chunk belongs to its first token; without logprobs a chunk with text is one token nobody can check. */
function readTokens(
  endpoint: Endpoint,
  logprobs: unknown,
  text: string,
  room: number,
): OutputToken[] | StreamFault {
  const lists = isFields(logprobs) ? listsOf(endpoint, logprobs) : []
  if (!lists.every((list) => Array.isArray(list))) return bad('logprobs of a chunk are no list')
  const [first = [], second] = lists
  const listed = Math.max(first.length, second?.length ?? 0)
  const count = listed === 0 && text !== '' ? 1 : listed
  if (count > room) return { cause: 'STREAM_LIMIT', detail: 'the stream had more tokens than asked for' }
  if (listed === 0) return text === '' ? [] : [{ text, tokenId: undefined, logprob: undefined }]
  return Array.from({ length: listed }, (_, index) => {
    const entry: unknown = first[index]
    const [token, logprob] = second
      ? [entry, second[index]]
      : isFields(entry)
        ? [entry.token, entry.logprob]
        : [undefined, undefined]
    return {
      text: index === 0 ? text : '',
      tokenId: readTokenId(token),
      logprob: typeof logprob === 'number' ? logprob : undefined,
    }
  })
}

/** Chats tell tokens with their logprobs, completions in two lists beside each other. */
function listsOf(endpoint: Endpoint, logprobs: Fields): unknown[] {
  return endpoint === 'chat'
    ? [logprobs.content ?? []]
    : [logprobs.tokens ?? [], logprobs.token_logprobs ?? []]
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
