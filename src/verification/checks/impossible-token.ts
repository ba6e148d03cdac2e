import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

/**
 * One token no sampler draws: its chance at the request's temperature, noise granted, times the vocabulary and the
 * length of the answer, is still below the false-alarm bound.
 */
export const checkImpossibleToken: Check = ({
  positions,
  referenceTemperature,
  samplingTemperature,
  facts,
}) => {
  const limit =
    Math.log(THRESHOLDS.falseAlarm.value) - Math.log(facts.vocabularySize) - Math.log(positions.length)
  for (const [index, { logprob, rank, top }] of positions.entries()) {
    const gap = (top.logprobs[0] ?? 0) - logprob
    const rawGap = Math.max(0, gap * referenceTemperature - THRESHOLDS.numericNoise.value)
    if (-rawGap / samplingTemperature < limit) {
      return failure(
        'UNLIKELY_TOKEN',
        `Token ${index} has rank ${rank}, logprob ${shown(logprob)}, ${shown(gap)} nats below the likeliest.`,
      )
    }
  }
  return undefined
}
