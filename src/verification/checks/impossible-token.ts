import { at, likeliestLogprob } from '../distributions.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

/**
 * One token no sampler draws: its chance at the request's temperature, noise granted, times the vocabulary and the
 * length of the answer, is still below the false-alarm bound.
 */
export const checkImpossibleToken: Check = ({
  tokens,
  ranks,
  logprobs,
  tops,
  referenceTemperature,
  samplingTemperature,
  facts,
}) => {
  const limit =
    Math.log(THRESHOLDS.falseAlarm.value) - Math.log(facts.vocabularySize) - Math.log(tokens.length)
  for (let index = 0; index < tokens.length; index++) {
    const logprob = at(logprobs, index)
    const gap = likeliestLogprob(tops, index) - logprob
    const rawGap = Math.max(0, gap * referenceTemperature - THRESHOLDS.numericNoise.value)
    if (-rawGap / samplingTemperature < limit) {
      return failure(
        'UNLIKELY_TOKEN',
        `Token ${index} has rank ${at(ranks, index)}, logprob ${shown(logprob)}, ${shown(gap)} nats below the likeliest.`,
      )
    }
  }
  return undefined
}
