import { at } from '../distributions.js'
import type { JudgedAnswer } from '../evidence.js'
import { logChanceOfAtMost } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

/**
 * Fewer tokens that are not the likeliest than any sampler at this temperature gives: the answer was made greedily, or kept
 * from another request. Expected is what a server would give that cuts as hard as any does by default (top_p, top_k of a
 * model's generation_config.json), so that an honest one is never held to the whole distribution.
 */
export const checkIgnoredTemperature: Check = (answer) => {
  const { tokens, ranks, temperature, facts } = answer
  // Below, sampling is greedy but for ties.
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
    expected += chanceOfOthers(answer, index, hardest)
  }
  if (logChanceOfAtMost(notFirst, expected) >= Math.log(THRESHOLDS.falseAlarm.value)) return undefined
  return failure(
    'UNLIKELY_TOKENS',
    `Only ${notFirst} of ${tokens.length} tokens are not the likeliest where at least ${shown(expected)} are expected at temperature ${shown(temperature)}.`,
  )
}

/** Chance that the likeliest token is not drawn from the smallest set of tokens an honest server draws from. */
function chanceOfOthers(
  { tops: { starts }, sampled: { probabilities } }: JudgedAnswer,
  position: number,
  { topP, topK }: { readonly topP: number; readonly topK: number },
): number {
  const start = at(starts, position)
  const end = Math.min(start + topK, at(starts, position + 1))
  let kept = 0
  for (let place = start; place < end && kept < topP; place++) kept += at(probabilities, place)
  return kept > 0 ? 1 - at(probabilities, start) / kept : 0
}
