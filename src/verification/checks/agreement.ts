import { distributionsAt, type PreparedAnswer } from '../answer-comparison.js'
import { at, logprobAtTemperature } from '../distributions.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

interface Agreement {
  /** From 0 (nothing agrees) to 1 (all within tolerance), averaged over `count` tokens. */
  readonly average: number
  readonly count: number
  readonly worst: { readonly index: number; readonly claimed: number; readonly reference: number }
}

/**
 * Fails when the claimed logprobs do not agree with the reference.
 *
 * Bound: an average agreement below `agreement` over the telling tokens, i.e. those that are not certain on both sides;
 * a token agrees within `agreementNats` plus `agreementSlope` of its logprob. A miner's engine reports raw logprobs (vLLM's
 * V1) or temperature-scaled ones (V0, or processed mode), so the better fit of the two counts. Source: 4.4.1 computes such
 * an average and never enforces it.
 */
export const checkAgreement: Check = (answer) => {
  const raw = measureAgreement(answer, 1)
  const scaled = answer.temperature > 0 ? measureAgreement(answer, answer.temperature) : raw
  const [best, kind] = scaled.average > raw.average ? [scaled, 'scaled'] : [raw, 'raw']
  if (best.average >= THRESHOLDS.agreement.value) return undefined
  const { index, claimed, reference } = best.worst
  return failure(
    'LOGPROB_MISMATCH',
    `Logprobs agree to ${formatNumber(best.average)} over ${best.count} tokens (compared as ${kind}, the better fit); the worst is token ${index} with ${formatNumber(claimed)} instead of ${formatNumber(reference)}.`,
  )
}

/** How well the claimed logprobs fit an engine that reports them at `temperature` (1: raw). */
function measureAgreement(answer: PreparedAnswer, temperature: number): Agreement {
  const telling = { sum: 0, count: 0 }
  const all = { sum: 0, count: 0 }
  let worst = { index: 0, claimed: 0, reference: 0, distance: -1 }
  const exponent = answer.referenceTemperature / temperature
  const tempered = exponent === 1 ? undefined : distributionsAt(answer, exponent)
  for (const [index, { logprob: claimed }] of answer.tokens.entries()) {
    const raw = at(answer.logprobs, index)
    let [low, high] = [raw, raw]
    if (tempered) {
      const bounds = logprobAtTemperature(raw, tempered, index)
      // Where the unseen tail leaves too much uncertainty, the raw logprob counts.
      if (bounds.high - bounds.low <= THRESHOLDS.knownWithin.value) [low, high] = [bounds.low, bounds.high]
    }
    const distance = Math.max(0, low - claimed, claimed - high)
    const reference = claimed < low ? low : high
    const tolerance =
      THRESHOLDS.agreementNats.value +
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
  return { average: used.sum / used.count, count: used.count, worst }
}
