import type { Cause } from '../verdict.js'
import { referenceTopK, TARGON_4 } from './constants.js'

export interface Targon4Token {
  readonly id: number
  /** As claimed by the miner: any number. */
  readonly logprob: number
}

/** As an engine returns them. Entries may lack a rank: 4.4.1 then raises an exception, except for end tokens, which it ignores. */
export type Targon4Entries = ReadonlyMap<number, { readonly logprob: number; readonly rank: number | null }>

export interface LogprobComparison {
  readonly temperature: number
  readonly maxTokens: number
  readonly tokens: readonly Targon4Token[]
  /** The engine's entries for the answer's positions; null where it returned none. */
  readonly reference: readonly (Targon4Entries | null)[]
  /** Top of the distribution after the whole text; undefined when the engine returned none. */
  readonly next: Targon4Entries | undefined
  /** -1 when the vocabulary has none; the same for `endOfTurnId`. */
  readonly eosTokenId: number
  readonly endOfTurnId: number
}

/** `no-verdict` stands for an exception in 4.4.1: the miner gets neither a score nor a failure. */
export type CheckResult =
  | { readonly kind: 'verified' }
  | { readonly kind: 'failed'; readonly cause: Cause; readonly detail: string }
  | { readonly kind: 'no-verdict'; readonly detail: string }

interface Tally {
  score: number
  perfect: number
  notFirst: number
  lowRank: number
}

/** 4.4.1 verifier/verifier.py verify_logprobs, including its loopholes (docs/verification.md lists them). */
export function checkLogprobs(comparison: LogprobComparison): CheckResult {
  const { tokens, reference } = comparison
  // Zero or negative when the text has fewer tokens than the answer claims: 4.4.1 then compares nothing.
  const positions = Math.min(reference.length - 3, tokens.length - 1)
  const tally: Tally = { score: 0, perfect: 0, notFirst: 0, lowRank: 0 }
  for (let index = 0; index < positions; index++) {
    const entries = reference[index]
    const token = tokens[index]
    if (!entries || !token) return { kind: 'no-verdict', detail: `No reference at token ${index}.` }
    const result = checkPosition(comparison, index, entries, token, tally)
    if (result) return result
  }
  return checkTotals(comparison, positions, tally)
}

function checkPosition(
  { temperature, eosTokenId, endOfTurnId }: LogprobComparison,
  index: number,
  entries: Targon4Entries,
  token: Targon4Token,
  tally: Tally,
): CheckResult | undefined {
  const eos = entries.get(eosTokenId)
  const endOfTurn = entries.get(endOfTurnId)
  const end = endOfTurn && (!eos || ranksBetter(endOfTurn.rank, eos.rank)) ? endOfTurn : eos
  const expected = entries.get(token.id)
  if (
    end &&
    (!expected || ((expected.rank ?? 0) > TARGON_4.endTokenRank && ranksBetter(end.rank, expected.rank)))
  ) {
    return failed('SKIPPED_EOS_EOT', `The end token was more likely than token ${index}.`)
  }
  if (!expected) return undefined
  const { rank } = expected
  if (rank === null) return { kind: 'no-verdict', detail: `No rank at token ${index}.` }
  if (rank >= TARGON_4.unlikelyRank) return failed('UNLIKELY_TOKEN', `Token ${index} has rank ${rank}.`)
  if (rank >= TARGON_4.lowRank) tally.lowRank++
  else if (rank > referenceTopK(temperature)) return undefined
  if (rank !== 1) tally.notFirst++
  if (Math.exp(token.logprob) === Number.POSITIVE_INFINITY && token.logprob !== Number.POSITIVE_INFINITY) {
    return { kind: 'no-verdict', detail: `The logprob of token ${index} overflows.` }
  }
  const distance = Math.abs(Math.exp(expected.logprob) - Math.exp(token.logprob))
  // Python's min(1.0, nan) is 1.0.
  let score = 1 - (Number.isNaN(distance) ? 1 : Math.min(1, distance))
  if (token.logprob === 0) tally.perfect++
  if (score >= TARGON_4.goodScore) score = 1
  if (rank === 1 && temperature >= TARGON_4.rankOnlyTemperature && token.logprob !== 0) score = 1
  tally.score += score
  return undefined
}

function checkTotals(comparison: LogprobComparison, positions: number, tally: Tally): CheckResult {
  const { tokens, temperature, next, eosTokenId, endOfTurnId } = comparison
  const notFirst = tally.notFirst / tokens.length
  if (notFirst >= TARGON_4.notFirstShare) {
    return failed('UNLIKELY_TOKENS', `${tally.notFirst} of ${tokens.length} tokens are not the likeliest.`)
  }
  const hasEnd = eosTokenId > 0 || endOfTurnId > 0
  if (hasEnd && tokens.length < comparison.maxTokens && next && next.size > 0) {
    if (!next.has(eosTokenId) && !next.has(endOfTurnId)) {
      return failed(
        'EARLY_END',
        `The answer ended after ${tokens.length} tokens, where no end token is likely.`,
      )
    }
  }
  if (positions === 0) return { kind: 'no-verdict', detail: 'No position to compare.' }
  const average = round5(tally.score / positions)
  const perfect = round5(tally.perfect / positions)
  // 4.4.1 uses the average only for the overfit check.
  if (average >= TARGON_4.passAverage && perfect >= 1 - Math.min(temperature * 0.5, 0.6)) {
    return failed('OVERFIT', `${tally.perfect} of ${positions} tokens claim certainty.`)
  }
  if (tally.lowRank >= TARGON_4.lowRankTokens) {
    return failed('UNLIKELY_TOKEN', `${tally.lowRank} tokens have rank ${TARGON_4.lowRank} or more.`)
  }
  return { kind: 'verified' }
}

function failed(cause: Cause, detail: string): CheckResult {
  return { kind: 'failed', cause, detail }
}

function ranksBetter(rank: number | null, other: number | null): boolean {
  return rank !== null && other !== null && rank < other
}

/** Python's `round(value, 5)`: exact ties, which are the odd multiples of 1/64, go to the even digit. */
function round5(value: number): number {
  if (Number.isInteger(value * 64) && !Number.isInteger(value * 32)) {
    const below = Math.floor(value * 1e5)
    return (below + (below % 2)) / 1e5
  }
  return Number(value.toFixed(5))
}
