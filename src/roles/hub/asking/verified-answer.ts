import {
  type ChunkContent,
  type Endpoint,
  EventStream,
  EventStreamError,
  readChunk,
} from '../../../inference/index.js'
import { exceedsJsonDepth, isJsonObject, type JsonObject, parseJson } from '../../../kernel/index.js'
import { type Exchange, exchange } from './exchange.js'
import { MinerFailure } from './miner-failure.js'

/** One event of an answer. */
export interface AnswerPiece {
  /** The JSON as the miner sent it. */
  readonly data: string
  readonly content: ChunkContent
  /** It has usage and no choice: the last event, which only those see who asked for it. */
  readonly isUsage: boolean
  /** Prompt tokens, as the miner says. */
  readonly promptTokens: number | undefined
}

/** Lists and objects in one another; a chunk of vLLM with all its fields has nine. */
const EVENT_DEPTH = 32
/** Role, usage and [DONE]. */
const EXTRA_EVENTS = 64
const LINE_BYTES = 256 * 1024

/**
 * The events of a streamed answer with one choice, each checked.
 *
 * @throws MinerFailure, also when the stream ends without a reason to finish; the reason of the signal
 */
export async function* readAnswer(
  request: Omit<Exchange, 'isStream' | 'progressed'>,
  { endpoint, maxTokens }: { readonly endpoint: Endpoint; readonly maxTokens: number },
): AsyncGenerator<AnswerPiece, void> {
  const events = new EventStream({
    lineBytes: LINE_BYTES,
    streamBytes: request.limits.bytes,
    events: maxTokens + EXTRA_EVENTS,
  })
  let hasProgressed = false
  const progressed = () => {
    const result = hasProgressed
    hasProgressed = false
    return result
  }
  let room = maxTokens + EXTRA_EVENTS
  let isFinished = false
  for await (const bytes of exchange({ ...request, isStream: true, progressed })) {
    for (const data of eventsOf(events, bytes)) {
      if (data.startsWith('[DONE]')) return
      const piece = readPiece(data, endpoint, room)
      const { text, tokens, finishReason } = piece.content
      room -= tokens.length
      hasProgressed ||= text !== '' || tokens.length > 0 || finishReason !== undefined || piece.isUsage
      isFinished ||= finishReason !== undefined
      yield piece
    }
  }
  if (!isFinished) throw new MinerFailure('failed', 'The answer broke off before its end')
}

export function hasContent({ content }: AnswerPiece): boolean {
  return content.text !== '' || content.tokens.length > 0 || content.finishReason !== undefined
}

function* eventsOf(events: EventStream, bytes: Buffer): Generator<string, void> {
  try {
    for (const data of events.push(bytes)) if (data !== undefined) yield data
  } catch (error) {
    if (error instanceof EventStreamError) throw new MinerFailure('failed', sentence(error.message))
    throw error
  }
}

function readPiece(data: string, endpoint: Endpoint, room: number): AnswerPiece {
  if (exceedsJsonDepth(data, EVENT_DEPTH))
    throw new MinerFailure('failed', `The stream had an event nested deeper than ${EVENT_DEPTH}`)
  // All of it must be JSON, because the user is sent all of it.
  const chunk = parseJson(data)
  if (chunk === undefined) throw new MinerFailure('failed', 'The stream had an event that is not JSON')
  const content = readChunk(endpoint, chunk, room)
  if ('cause' in content)
    throw new MinerFailure('failed', sentence(content.detail), 0, {
      reason: `The stream had a chunk that was refused: ${content.cause}`,
    })
  const usage = isJsonObject(chunk) ? usageOf(chunk) : undefined
  return { data, content, isUsage: usage !== undefined, promptTokens: countOf(usage?.prompt_tokens) }
}

/** The usage of a chunk without choices, which comes last. */
function usageOf({ choices, usage }: JsonObject): JsonObject | undefined {
  return Array.isArray(choices) && choices.length === 0 && isJsonObject(usage) ? usage : undefined
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? Math.floor(value) : undefined
}

/** As the sentences of other failures: a capital, no full stop. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
