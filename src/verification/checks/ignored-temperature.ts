import { at } from '../../evidence/index.js'
import type { PreparedAnswer } from '../answer-comparison.js'
import { type Cut, hardestCut, keptShare } from '../cuts.js'
import { logProbabilityAtMost } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

/**
 * Fails when fewer tokens than any sampler at this temperature draws are not the likeliest: the answer was made greedily,
 * or for another request.
 *
 * Bound: Chernoff, at most `falseAlarm` for an honest answer. The expected count is that of the server which truncates its
 * distributions hardest (`hardestCut`), because servers apply top_p, top_k and min_p of the model's generation_config.json to
 * requests that name none.
 * Source: not in 4.4.1.
 */
export const checkIgnoredTemperature: Check = (answer) => {
  const { tokens, ranks, temperature } = answer
  // Below, sampling is greedy except for ties.
  if (temperature < THRESHOLDS.lowestTemperature.value) return undefined
  const hardest = hardestCut(answer)
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

/** Probability that a server with this cut draws another token than the likeliest. */
function probabilityNotFirst({ top, sampling }: PreparedAnswer, position: number, cut: Cut): number {
  if (at(top.starts, position) === at(top.starts, position + 1)) return 0
  const first = at(sampling.probabilities, at(top.starts, position))
  const { low } = keptShare(top, sampling, position, cut, 0)
  return Math.max(0, 1 - first / low)
}
