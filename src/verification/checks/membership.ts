import { at } from '../../evidence/index.js'
import { logProbabilityAtLeast } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

/**
 * Fails when more tokens lie outside the top trunc(10·T)+3 than the distributions explain.
 *
 * Bound: Chernoff, at most `falseAlarm` for an honest answer. Source: 4.4.1's random check, which looks at five positions
 * and fails on the first miss; here every position counts, at every temperature, without another call to the engine.
 */
export const checkMembership: Check = ({ tokens, ranks, top, sampling, temperature, topK }) => {
  const size = Math.min(topK, Math.trunc(temperature * 10) + THRESHOLDS.membershipExtra.value)
  let outside = 0
  let expected = 0
  for (let index = 0; index < tokens.length; index++) {
    const start = at(top.starts, index)
    const end = Math.min(start + size, at(top.starts, index + 1))
    let inside = 0
    for (let entry = start; entry < end; entry++) inside += at(sampling.probabilities, entry)
    expected += Math.max(0, 1 - inside)
    if (at(ranks, index) > size) outside++
  }
  if (logProbabilityAtLeast(outside, expected) >= Math.log(THRESHOLDS.falseAlarm.value)) return undefined
  return failure(
    'LOGPROB_RANDOM',
    `${outside} of ${tokens.length} tokens lie outside the top ${size}, expected ${formatNumber(expected)}.`,
  )
}
