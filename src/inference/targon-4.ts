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
 * Reads a stream exactly as 4.4.1 request.py handle_inference does, mistakes included: leading chunks without text are
 * dropped, of each chunk only the first logprob counts, a usage chunk is an error, and after any error the times are 0.
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
    const token = stream.endpoint === 'chat' ? chatToken(read.logprobs) : completionToken(read.logprobs)
    if (token === 'broken') {
      broken = 'a token is unreadable for 4.4.1'
      break
    }
    if (token === 'skipped') continue
    tokens.push({ text: read.text, ...token })
    tokenMoments.push(atSeconds)
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

function chatToken(logprobs: unknown): Token | 'skipped' | 'broken' {
  const content = isJsonObject(logprobs) ? logprobs.content : undefined
  if (!Array.isArray(content) || content.length === 0) return { tokenId: -1, logprob: -100 }
  const entry: unknown = content[0]
  if (!isJsonObject(entry)) return 'broken'
  const tokenId = readTokenId(entry.token)
  return typeof tokenId === 'number' ? { tokenId, logprob: numberOf(entry.logprob) } : tokenId
}

function completionToken(logprobs: unknown): Token | 'skipped' | 'broken' {
  if (!isJsonObject(logprobs)) return 'skipped'
  const { tokens, token_logprobs: values } = logprobs
  const logprob = Array.isArray(values) && values.length > 0 ? numberOf(values[0]) : -100
  if (!Array.isArray(tokens) || tokens.length === 0) return { tokenId: -1, logprob }
  const tokenId = readTokenId(tokens[0])
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
