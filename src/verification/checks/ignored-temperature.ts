import type { PreparedAnswer } from '../answer-comparison.js'
import { at } from '../distributions.js'
import { logProbabilityAtMost } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

/**
 * Fails when fewer tokens than any sampler at this temperature draws are not the likeliest: the answer was made greedily,
 * or for another request.
 *
 * Bound: Chernoff, at most `falseAlarm` for an honest answer. The expected count is that of the server which truncates its
 * distributions hardest (`hardestTopP`, `hardestTopK`, or the model's own defaults where they are harder), because servers
 * apply top_p and top_k of the model's generation_config.json. Source: not in 4.4.1.
 */
export const checkIgnoredTemperature: Check = (answer) => {
  const { tokens, ranks, temperature, facts } = answer
  // Below, sampling is greedy except for ties.
  if (temperature < THRESHOLDS.lowestTemperature.value) return undefined
  const { topP = 1, topK = Number.POSITIVE_INFINITY } = facts.samplingDefaults ?? {}
  const hardest = {
    topP: Math.min(topP, THRESHOLDS.hardestTopP.value),
    topK: Math.min(topK, THRESHOLDS.hardestTopK.value),
  }
  let notFirst = 0
  let expected = 0
  for (let index = 0; index < tokens.length; index++) {
    if (at(ranks, index) !== 1) notFirst++
    expected += probabilityNotFirst(answer, index, hardest)
  }
  if (logProbabilityAtMost(notFirst, expected) >= Math.log(THRESHOLDS.falseAlarm.value)) return undefined
  return failure(
    'UNLIKELY_TOKENS',
    `Only ${notFirst} of ${tokens.length} tokens are not the likeliest, expected at least ${formatNumber(expected)} at temperature ${formatNumber(temperature)}.`,
  )
}

/** Probability that the hardest truncation draws another token than the likeliest. */
function probabilityNotFirst(
  { top: { starts }, sampling: { probabilities } }: PreparedAnswer,
  position: number,
  { topP, topK }: { readonly topP: number; readonly topK: number },
): number {
  const start = at(starts, position)
  const end = Math.min(start + topK, at(starts, position + 1))
  let kept = 0
  for (let entry = start; entry < end && kept < topP; entry++) kept += at(probabilities, entry)
  return kept > 0 ? 1 - at(probabilities, start) / kept : 0
}
