import { isJsonObject } from '../kernel/index.js'
import {
  inMilliseconds,
  isBurst,
  measureRate,
  measureSpans,
  NON_STREAMED,
  TARGON_4_BURST_RULE,
} from './timing.js'
import type { AnswerTiming, Endpoint, OutputToken } from './types.js'

/** A recorded stream with times in seconds on one clock, as 4.4.1 sees it. */
export interface TimedStream {
  readonly endpoint: Endpoint
  readonly maxTokens: number
  /** Most tokens that are read: more than that are too many, however many more. */
  readonly tokenLimit: number
  readonly startSeconds: number
  readonly chunks: readonly (readonly [atSeconds: number, chunk: unknown])[]
  readonly endSeconds: number
  /** The connection failed, or the stream ended early. */
  readonly brokeOff: boolean
}

/** An answer as 4.4.1 reads it: id −1 and logprob −100 where the miner sent none, undefined where it sent a logprob of null. */
export interface Targon4Answer {
  readonly tokens: readonly (OutputToken & { readonly tokenId: number })[]
  readonly timing: AnswerTiming
  readonly tokensPerSecond: number
  /** Detail of 4.4.1's cause BAD_STREAM; undefined when the stream was good. */
  readonly fault: string | undefined
}

/**
 * Reads a stream as 4.4.1 request.py handle_inference does, mistakes included: leading chunks without text are dropped, a
 * usage chunk is an error, and after any error the times are 0. It deviates once: of each chunk all tokens count, not only the
 * first, because vLLM merges tokens into one chunk whenever its server lags, and 4.4.1 failed such honest answers.
 */
export function readTargon4(stream: TimedStream): Targon4Answer {
  const tokens: (OutputToken & { tokenId: number })[] = []
  const tokenMoments: number[] = []
  let first: number | undefined
  let broken = stream.brokeOff ? 'the stream ended early' : undefined
  for (const [atSeconds, chunk] of stream.chunks) {
    const read = readChoice(stream.endpoint, chunk)
    if (read === undefined) {
      broken = 'a chunk is unreadable for 4.4.1'
      break
    }
    if (read.kind === 'skipped' || (read.text === '' && tokens.length === 0)) continue
    first ??= atSeconds
    const room = stream.tokenLimit - tokens.length
    if (room <= 0) break
    const list =
      stream.endpoint === 'chat' ? chatTokens(read.logprobs, room) : completionTokens(read.logprobs, room)
    const readable = list.indexOf('broken') < 0 ? list : list.slice(0, list.indexOf('broken'))
    let text: string | undefined = read.text
    for (const token of readable) {
      if (typeof token === 'string') continue
      tokens.push({ text: text ?? '', ...token, ...(text === undefined ? { sharesText: true } : {}) })
      tokenMoments.push(atSeconds)
      text = undefined
    }
    if (readable !== list) {
      broken = 'a token is unreadable for 4.4.1'
      break
    }
  }
  const moments = { start: stream.startSeconds, first, end: stream.endSeconds, tokens: tokenMoments }
  if (broken !== undefined) {
    return {
      tokens,
      timing: inMilliseconds({ first: 0, rest: 0, total: 0 }),
      tokensPerSecond: 0,
      fault: broken,
    }
  }
  const spans = measureSpans(moments)
  return {
    tokens,
    timing: inMilliseconds(spans, 1000),
    tokensPerSecond: measureRate(tokens.length, stream.maxTokens, spans.total),
    fault: isBurst(moments, TARGON_4_BURST_RULE) ? NON_STREAMED : undefined,
  }
}

type Token = { tokenId: number; logprob: number | undefined }
type Choice = { kind: 'skipped' } | { kind: 'choice'; text: string; logprobs: unknown }

/** @returns undefined where the original throws. */
function readChoice(endpoint: Endpoint, chunk: unknown): Choice | undefined {
  const choices = isJsonObject(chunk) ? chunk.choices : undefined
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  if (!isJsonObject(choice)) return undefined
  const holder = endpoint === 'chat' ? choice.delta : choice
  if (holder === null || holder === undefined) return { kind: 'skipped' }
  const text = isJsonObject(holder) ? holder[endpoint === 'chat' ? 'content' : 'text'] : undefined
  return { kind: 'choice', text: typeof text === 'string' ? text : '', logprobs: choice.logprobs }
}

type ReadToken = Token | 'skipped' | 'broken'

const UNKNOWN: Token = { tokenId: -1, logprob: -100 }

function chatTokens(logprobs: unknown, room: number): readonly ReadToken[] {
  const content = isJsonObject(logprobs) ? logprobs.content : undefined
  if (!Array.isArray(content) || content.length === 0) return [UNKNOWN]
  return content
    .slice(0, room)
    .map((entry: unknown) =>
      isJsonObject(entry) ? describeToken(entry.token, numberOf(entry.logprob)) : 'broken',
    )
}

function completionTokens(logprobs: unknown, room: number): readonly ReadToken[] {
  if (!isJsonObject(logprobs)) return []
  const tokens = Array.isArray(logprobs.tokens) ? logprobs.tokens : []
  const values = Array.isArray(logprobs.token_logprobs) ? logprobs.token_logprobs : []
  const logprobAt = (index: number) => (index < values.length ? numberOf(values[index]) : UNKNOWN.logprob)
  if (tokens.length === 0) return [{ ...UNKNOWN, logprob: logprobAt(0) }]
  return tokens.slice(0, room).map((token: unknown, index) => describeToken(token, logprobAt(index)))
}

function describeToken(token: unknown, logprob: number | undefined): ReadToken {
  const tokenId = readTokenId(token)
  return typeof tokenId === 'number' ? { tokenId, logprob } : tokenId
}

/** Python's `int(token.split(":")[1])` for texts that start with `token_id:`. */
function readTokenId(token: unknown): number | 'skipped' | 'broken' {
  if (token === null || token === undefined || token === '') return 'skipped'
  if (typeof token !== 'string') return 'broken'
  if (!token.startsWith('token_id:')) return 'skipped'
  const digits = /^\s*([+-]?\d+(?:_\d+)*)\s*$/.exec(token.split(':')[1] ?? '')?.[1]
  return digits === undefined ? 'broken' : Number(digits.replaceAll('_', ''))
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
