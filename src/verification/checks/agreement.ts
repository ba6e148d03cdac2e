import { at, type Bounds } from '../../evidence/index.js'
import type { PreparedAnswer } from '../answer-comparison.js'
import { operatorsReportsOf, type Report, reportedLogprob, reportsOf } from '../reports.js'
import { logProbabilityOfAverage } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

interface Agreement {
  readonly report: Report
  /** From 0 (nothing agrees) to 1 (all within tolerance), averaged over `count` tokens. */
  readonly average: number
  readonly count: number
  readonly worst: { readonly index: number; readonly claimed: number; readonly reference: number }
  /** Average shift of a logit that explains the claims, in nats; each token counts at most `logitShiftMost`. */
  readonly shift: number
}

/**
 * Fails when the claimed logprobs do not agree with the reference, in whichever way the server reports them (raw, scaled,
 * truncated): the best fit counts.
 *
 * Bounds: an average agreement below `agreement` over the telling tokens, i.e. those that are not certain on both sides; a
 * token agrees within `agreementNats` plus `agreementSlope` of its logprob. And, over all tokens, an average shift of the
 * logit that honest noise of `logitShift` explains with a probability below `falseAlarm` (Chernoff): invented logprobs lie
 * within the tolerance of many tokens, but not within the noise of all. Source: 4.4.1 computes an average and never
 * enforces it.
 */
export const checkAgreement: Check = (answer) => {
  let best: Agreement | undefined
  for (const report of allReportsOf(answer)) {
    const agreement = measureAgreement(answer, report)
    if (isAgreed(agreement, answer.tokens.length)) return undefined
    if (!best || agreement.shift < best.shift) best = agreement
  }
  return best && describeMismatch(best, answer.tokens.length)
}

function* allReportsOf(answer: PreparedAnswer): Generator<Report> {
  yield* reportsOf(answer)
  yield* operatorsReportsOf(answer)
}

function isAgreed({ average, shift }: Agreement, tokens: number): boolean {
  if (average < THRESHOLDS.agreement.value) return false
  const most = THRESHOLDS.logitShiftMost.value
  const chance = logProbabilityOfAverage(shift / most, THRESHOLDS.logitShift.value / most, tokens)
  return chance >= Math.log(THRESHOLDS.falseAlarm.value)
}

function describeMismatch({ average, count, worst, report, shift }: Agreement, tokens: number) {
  const { index, claimed, reference } = worst
  const fit = `compared as ${report.name}, the best fit`
  const example = `the worst is token ${index} with ${formatNumber(claimed)} instead of ${formatNumber(reference)}`
  if (average < THRESHOLDS.agreement.value)
    return failure(
      'LOGPROB_MISMATCH',
      `Logprobs agree to ${formatNumber(average)} over ${count} tokens (${fit}); ${example}.`,
    )
  return failure(
    'LOGPROB_MISMATCH',
    `Logprobs differ as if every logit were shifted by ${formatNumber(shift)} nats on average over ${tokens} tokens (${fit}); ${example}.`,
  )
}

function measureAgreement(answer: PreparedAnswer, report: Report): Agreement {
  const telling = { sum: 0, count: 0 }
  const all = { sum: 0, count: 0 }
  let worst = { index: 0, claimed: 0, reference: 0, distance: -1 }
  let shift = 0
  for (const [index, { logprob: claimed }] of answer.tokens.entries()) {
    const bounds = reportedLogprob(answer, report, index, THRESHOLDS.agreementNats.value)
    shift += logitShift(claimed, bounds, report.temperature)
    const raw = at(answer.logprobs, index)
    // Where the unseen tail leaves too much uncertainty, the raw logprob counts.
    const isKnown = bounds.high - bounds.low <= THRESHOLDS.knownWithin.value
    const { low, high } = isKnown ? bounds : { low: raw, high: raw }
    const distance = Math.max(0, low - claimed, claimed - high)
    const reference = claimed < low ? low : high
    // A temperature below 1 multiplies the noise of the logits.
    const tolerance =
      THRESHOLDS.agreementNats.value * Math.max(1, 1 / report.temperature) +
      THRESHOLDS.agreementSlope.value * Math.abs(Math.max(reference, claimed))
    const score = Math.exp(-Math.max(0, distance - tolerance))
    all.sum += score
    all.count++
    if (distance > worst.distance) worst = { index, claimed, reference, distance }
    if (Math.min(claimed, reference) >= -THRESHOLDS.certainLogprob.value) continue
    telling.sum += score
    telling.count++
  }
  const used = telling.count >= THRESHOLDS.tellingTokens.value ? telling : all
  const average = used.sum / used.count
  return { report, average, count: used.count, worst, shift: shift / all.count }
}

/**
 * Nats by which the token's logit differs, in the engine's own units, when one server claims this and the other reports a
 * logprob within the bounds. Unlike the difference of logprobs, it has about the same noise for likely and rare tokens: to
 * claim 95 % where the reference is certain takes a shift of many nats. Certainty is the same on both sides beyond
 * `roundsToZero`, where single precision rounds.
 */
function logitShift(claimed: number, { low, high }: Bounds, temperature: number): number {
  const certain = -Math.log(THRESHOLDS.roundsToZero.value)
  const odds = Math.min(certain, logOdds(claimed))
  const [lowest, highest] = [Math.min(certain, logOdds(low)), logOdds(high)]
  const distance = odds >= certain ? odds - highest : Math.max(odds - highest, logOdds(low) - odds)
  if (distance <= 0 || (odds >= lowest && odds <= highest)) return 0
  return Math.min(THRESHOLDS.logitShiftMost.value, distance * temperature)
}

/** Finite also for a probability of 1, which double precision cannot tell from 1 - 1e-16. */
function logOdds(logprob: number): number {
  return logprob - Math.log(Math.max(1e-16, -Math.expm1(logprob)))
}
