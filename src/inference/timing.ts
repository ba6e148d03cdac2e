import type { AnswerTiming } from './types.js'

/** When an answer counts as generated first and streamed later (4.4.1 request.py "Likely non-streamed response"). */
export interface BurstRule {
  /** Answers of up to this many tokens are never judged. */
  readonly exemptTokens: number
  /** This share of the tokens … */
  readonly leadShare: number
  /** … must have arrived before this share of the whole time. Otherwise the answer counts as generated first … */
  readonly timeShare: number
  /** … if the remaining tokens arrive at this speed or faster: an answer that waited in a queue streams as fast as it is generated. */
  readonly minTokensPerSecond: number
}

export const TARGON_4_BURST_RULE: BurstRule = {
  exemptTokens: 60,
  leadShare: 0.05,
  timeShare: 0.85,
  minTokensPerSecond: 0,
}

/** 4.4.1's rule, limited to answers that stream faster than an engine generates (experiment: docs/verification.md). */
export const STRICT_BURST_RULE: BurstRule = { ...TARGON_4_BURST_RULE, minTokensPerSecond: 500 }

/** Tokens arrive unevenly: vLLM merges them when it lags, and so does the network. */
export const BURST_MARGIN = 3

/**
 * The rule that `--verification.burst` selects; null: no answer fails. A fast model streams faster than any fixed speed, so
 * where its speed was measured, the rest must arrive `BURST_MARGIN` times as fast; the setting stays the least.
 *
 * @param measuredTokensPerSecond of this model, by the reference engine or other miners; 0 when unknown
 */
export function burstRuleOf(
  minTokensPerSecond: number | 'off',
  measuredTokensPerSecond = 0,
): BurstRule | null {
  if (minTokensPerSecond === 'off') return null
  // 0 asks for the rule of 4.4.1, which knows no speed.
  const measured = minTokensPerSecond === 0 ? 0 : BURST_MARGIN * measuredTokensPerSecond
  return { ...STRICT_BURST_RULE, minTokensPerSecond: Math.max(minTokensPerSecond, measured) }
}

/** The text of 4.4.1 for such an answer. */
export const NON_STREAMED = 'Likely non-streamed response'

/** Moments of one answer on one monotonic clock, all in the same unit. */
export interface Moments {
  readonly start: number
  /** First chunk with content; undefined when there was none. */
  readonly first: number | undefined
  readonly end: number
  /** One per token. */
  readonly tokens: readonly number[]
}

/** In the unit of the moments. */
export interface Spans {
  readonly first: number
  readonly rest: number
  readonly total: number
}

/** The three times of 4.4.1: to the first token, from there to the end, and their sum. */
export function measureSpans(moments: Moments): Spans {
  const first = (moments.first ?? moments.end) - moments.start
  const total = moments.end - moments.start
  return { first, rest: moments.end - (moments.first ?? moments.end), total }
}

/** Tokens per unit of time, counting at most max_tokens; 0 when no time passed. */
export function measureRate(tokenCount: number, maxTokens: number, total: number): number {
  return total > 0 ? Math.min(tokenCount, maxTokens) / total : 0
}

/** True when most of the time passed before the first few tokens arrived, and the others followed all at once. */
export function isBurst({ start, end, tokens }: Moments, rule: BurstRule, unitMs = 1): boolean {
  if (tokens.length <= rule.exemptTokens) return false
  const leadIndex = Math.ceil(tokens.length * rule.leadShare)
  const [lead, last] = [tokens[leadIndex], tokens.at(-1)]
  if (lead === undefined || last === undefined || end <= start) return false
  if ((lead - start) / (end - start) < rule.timeShare) return false
  const followers = tokens.length - 1 - leadIndex
  return followers * 1000 >= rule.minTokensPerSecond * (last - lead) * unitMs
}

/** Largest share of the tokens in any window of this length; 0 for no tokens. The moments must be ascending. */
export function measureBurst(tokenMoments: readonly number[], window = 100): number {
  let most = 0
  let from = 0
  for (const [index, moment] of tokenMoments.entries()) {
    while (moment - (tokenMoments[from] ?? moment) > window) from++
    most = Math.max(most, index - from + 1)
  }
  return tokenMoments.length === 0 ? 0 : most / tokenMoments.length
}

export function inMilliseconds(spans: Spans, unitMs = 1): AnswerTiming {
  return {
    timeToFirstTokenMs: spans.first * unitMs,
    timeForAllTokensMs: spans.rest * unitMs,
    totalMs: spans.total * unitMs,
  }
}
