import { at, likeliestLogprob } from '../../evidence/index.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

/**
 * Fails on a single token that no sampler draws.
 *
 * Bound: its probability at the request's temperature, with `numericNoise` granted, times the vocabulary size and the
 * length of the answer, is below `falseAlarm` (union bound). Source: 4.4.1 fails on any token of rank 75 or more, which
 * honest answers reach at high temperatures.
 */
export const checkImpossibleToken: Check = ({
  tokens,
  ranks,
  logprobs,
  top,
  referenceTemperature,
  samplingTemperature,
  facts,
}) => {
  const limit =
    Math.log(THRESHOLDS.falseAlarm.value) - Math.log(facts.vocabularySize) - Math.log(tokens.length)
  for (let index = 0; index < tokens.length; index++) {
    const logprob = at(logprobs, index)
    const gap = likeliestLogprob(top, index) - logprob
    const rawGap = Math.max(0, gap * referenceTemperature - THRESHOLDS.numericNoise.value)
    if (-rawGap / samplingTemperature < limit) {
      return failure(
        'UNLIKELY_TOKEN',
        `Token ${index} has rank ${at(ranks, index)} and logprob ${formatNumber(logprob)}, ${formatNumber(gap)} nats below the likeliest token.`,
      )
    }
  }
  return undefined
}
