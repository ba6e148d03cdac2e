import { readChunk } from './chunk.js'
import { readTargon4 } from './targon-4.js'
import {
  type BurstRule,
  inMilliseconds,
  isBurst,
  type Moments,
  measureBurst,
  measureRate,
  measureSpans,
  NON_STREAMED,
} from './timing.js'
import type { Answer, Endpoint, OutputToken, RuleSet, StreamFault } from './types.js'

/** An answer as far as its chunks determine it. */
export type AnswerContent = Omit<Answer, 'status'>

/** What a chunk adds to an answer. */
export interface Accepted {
  readonly text: string
  readonly tokens: number
  readonly hasContent: boolean
}

export interface ReaderOptions {
  readonly endpoint: Endpoint
  readonly maxTokens: number
  /** Tokens after which reading stops. */
  readonly tokenLimit: number
  readonly rules: RuleSet
  /** Undefined: an answer generated first and streamed later is only reported, by its burst share. Under `targon-4` any rule means that of 4.4.1. */
  readonly burst: BurstRule | undefined
}

/** Reads the chunks of one answer as they arrive. All times are milliseconds on one monotonic clock. */
export interface AnswerReader {
  /** @returns what the chunk adds, or the fault that ends the stream. */
  accept(atMs: number, chunk: unknown): Accepted | StreamFault
  finish(startMs: number, endMs: number, fault: StreamFault | undefined): AnswerContent
}

export function createAnswerReader(options: ReaderOptions): AnswerReader {
  const strict = createStrictReader(options)
  return options.rules === 'strict' ? strict : createTargon4Reader(options, strict)
}

function createStrictReader({ endpoint, maxTokens, tokenLimit, burst }: ReaderOptions): AnswerReader {
  const tokens: OutputToken[] = []
  const tokenMoments: number[] = []
  const texts: string[] = []
  let finishReason: string | undefined
  let firstMs: number | undefined
  let chunks = 0
  let lostTokens = false
  return {
    accept(atMs, chunk) {
      const content = readChunk(endpoint, chunk, tokenLimit - tokens.length)
      if ('cause' in content) return content
      finishReason = content.finishReason ?? finishReason
      const hasContent = content.text !== '' || content.tokens.length > 0
      if (!hasContent) return { text: '', tokens: 0, hasContent }
      firstMs ??= atMs
      chunks++
      lostTokens ||= content.lostTokens
      texts.push(content.text)
      for (const token of content.tokens) {
        tokens.push(token)
        tokenMoments.push(atMs)
      }
      return { text: content.text, tokens: content.tokens.length, hasContent }
    },
    finish(startMs, endMs, streamFault) {
      const moments: Moments = { start: startMs, first: firstMs, end: endMs, tokens: tokenMoments }
      const spans = measureSpans(moments)
      const fault = streamFault ?? burstFault(moments, burst)
      return {
        tokens,
        text: texts.join(''),
        finishReason,
        timing: inMilliseconds(spans),
        tokensPerSecond: streamFault ? 0 : measureRate(tokens.length, maxTokens, spans.total) * 1000,
        fault,
        chunks,
        lostTokens,
        burstShare: measureBurst(tokenMoments),
      }
    },
  }
}

const BURST: StreamFault = { cause: 'BAD_STREAM', detail: NON_STREAMED, timed: 'burst' }

function burstFault(moments: Moments, rule: BurstRule | undefined): StreamFault | undefined {
  return rule && isBurst(moments, rule) ? BURST : undefined
}

/** Reads the stream twice: strictly as it arrives, for the text and the limits, and at the end as 4.4.1 would have. */
function createTargon4Reader(
  { endpoint, maxTokens, tokenLimit, burst }: ReaderOptions,
  strict: AnswerReader,
): AnswerReader {
  const record: [number, unknown][] = []
  return {
    accept(atMs, chunk) {
      const accepted = strict.accept(atMs, chunk)
      if ('cause' in accepted && accepted.cause === 'STREAM_LIMIT') return accepted
      record.push([atMs / 1000, chunk])
      return 'cause' in accepted ? { text: '', tokens: 0, hasContent: true } : accepted
    },
    finish(startMs, endMs, fault) {
      const strictContent = strict.finish(startMs, endMs, fault)
      const targon4 = readTargon4({
        endpoint,
        maxTokens,
        tokenLimit,
        startSeconds: startMs / 1000,
        chunks: record,
        endSeconds: endMs / 1000,
        brokeOff: fault !== undefined,
      })
      const isBurstFault = targon4.fault === NON_STREAMED
      const detail = isBurstFault && !burst ? undefined : targon4.fault
      const own = detail === undefined ? undefined : ({ cause: 'BAD_STREAM', detail } as const)
      return {
        ...strictContent,
        tokens: targon4.tokens,
        timing: targon4.timing,
        tokensPerSecond: targon4.tokensPerSecond,
        fault: fault ?? (own && isBurstFault ? BURST : own),
        lostTokens: false,
      }
    },
  }
}
