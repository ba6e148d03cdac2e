import type { AnswerTiming } from './types.js'

/** When an answer counts as made first and streamed later (4.4.1 request.py "Likely non-streamed response"). */
export interface BurstRule {
  /** Answers of up to so many tokens are never judged. */
  readonly exemptTokens: number
  /** This share of the tokens … */
  readonly leadShare: number
  /** … must have arrived before this share of the whole time; if not, the answer counts as made first … */
  readonly timeShare: number
  /** … when what follows comes at this speed or faster: an answer that stood in a queue comes as fast as it is made. */
  readonly minTokensPerSecond: number
}

export const TARGON_4_BURST_RULE: BurstRule = {
  exemptTokens: 60,
  leadShare: 0.05,
  timeShare: 0.85,
  minTokensPerSecond: 0,
}

/** 4.4.1's test, for answers that come faster than an engine makes them (docs/verification.md has the experiment). */
export const STRICT_BURST_RULE: BurstRule = { ...TARGON_4_BURST_RULE, minTokensPerSecond: 500 }

/** The rule behind `--verification.burst`; null fails none. */
export function burstRuleOf(minTokensPerSecond: number | 'off'): BurstRule | null {
  return minTokensPerSecond === 'off' ? null : { ...STRICT_BURST_RULE, minTokensPerSecond }
}

/** 4.4.1's text for it. */
export const NON_STREAMED = 'Likely non-streamed response'

/** Moments of one answer on one monotonic clock, in any one unit. */
export interface Moments {
  readonly start: number
  /** First chunk that carried something; undefined when none did. */
  readonly first: number | undefined
  readonly end: number
  /** One per token. */
  readonly tokens: readonly number[]
}

/** Spans in the unit of the moments. */
export interface Spans {
  readonly first: number
  readonly rest: number
  readonly total: number
}

/** 4.4.1's three times: to the first token, from there to the end, and the sum. */
export function measureSpans(moments: Moments): Spans {
  const first = (moments.first ?? moments.end) - moments.start
  const total = moments.end - moments.start
  return { first, rest: moments.end - (moments.first ?? moments.end), total }
}

/** Tokens per unit of time, of at most the tokens asked for; 0 when no time passed. */
export function measureRate(tokenCount: number, maxTokens: number, total: number): number {
  return total > 0 ? Math.min(tokenCount, maxTokens) / total : 0
}

/** True when nearly all of the time passed before the first few tokens were there, and the others came all at once. */
export function isBurst({ start, end, tokens }: Moments, rule: BurstRule, unitMs = 1): boolean {
  if (tokens.length <= rule.exemptTokens) return false
  const leadIndex = Math.ceil(tokens.length * rule.leadShare)
  const [lead, last] = [tokens[leadIndex], tokens.at(-1)]
  if (lead === undefined || last === undefined || end <= start) return false
  if ((lead - start) / (end - start) < rule.timeShare) return false
  const followers = tokens.length - 1 - leadIndex
  return followers * 1000 >= rule.minTokensPerSecond * (last - lead) * unitMs
}

/** Share of the tokens in the fullest window of this length; 0 for no tokens. Moments ascend. */
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
