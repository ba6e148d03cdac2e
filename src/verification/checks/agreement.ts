import { at, temperLogprob } from '../distributions.js'
import { type JudgedAnswer, temperedAt } from '../evidence.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

export interface Agreement {
  /** 0 (nothing agrees) … 1 (all within tolerance), over the telling tokens. */
  readonly average: number
  readonly tellingTokens: number
  readonly worst: { readonly index: number; readonly claimed: number; readonly reference: number }
}

/**
 * Claimed against reference logprobs. A miner's engine reports either raw logprobs (vLLM's V1) or temperature-scaled
 * ones (V0, or processed mode); the answer is held against both and the better fit counts.
 */
export const checkAgreement: Check = (answer) => {
  const raw = measureAgreement(answer, 1)
  const scaled = answer.temperature > 0 ? measureAgreement(answer, answer.temperature) : raw
  const [best, kind] = scaled.average > raw.average ? [scaled, 'scaled'] : [raw, 'raw']
  if (best.average >= THRESHOLDS.agreement.value) return undefined
  const { index, claimed, reference } = best.worst
  return failure(
    'LOGPROB_MISMATCH',
    `Logprobs agree to ${shown(best.average)} over ${best.tellingTokens} tokens (${kind} is the better fit); worst is token ${index} with ${shown(claimed)} instead of ${shown(reference)}.`,
  )
}

/** How well the claimed logprobs fit a miner whose engine reports them at `temperature` (1 = raw). */
export function measureAgreement(answer: JudgedAnswer, temperature: number): Agreement {
  const telling = { sum: 0, count: 0 }
  const all = { sum: 0, count: 0 }
  let worst = { index: 0, claimed: 0, reference: 0, distance: -1 }
  const exponent = answer.referenceTemperature / temperature
  const tempered = exponent === 1 ? undefined : temperedAt(answer, exponent)
  for (const [index, { logprob: claimed }] of answer.tokens.entries()) {
    const raw = at(answer.logprobs, index)
    let [low, high] = [raw, raw]
    if (tempered) {
      const range = temperLogprob(raw, tempered, index)
      // Where the unseen tail makes it a guess, the raw one counts.
      if (range.high - range.low <= THRESHOLDS.knownWithin.value) [low, high] = [range.low, range.high]
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
  return { average: used.sum / used.count, tellingTokens: used.count, worst }
}
