import { at } from '../distributions.js'
import { logChanceOfAtLeast } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

/**
 * 4.4.1's random check on every position and at every temperature, from the same pass: tokens outside the top
 * trunc(10·T)+3, of which an honest answer has a few, may not be more than the distributions allow.
 */
export const checkMembership: Check = ({ tokens, ranks, tops, sampled, temperature, topK }) => {
  const size = Math.min(topK, Math.trunc(temperature * 10) + THRESHOLDS.membershipExtra.value)
  let outside = 0
  let expected = 0
  for (let index = 0; index < tokens.length; index++) {
    const start = at(tops.starts, index)
    const end = Math.min(start + size, at(tops.starts, index + 1))
    let inside = 0
    for (let place = start; place < end; place++) inside += at(sampled.probabilities, place)
    expected += Math.max(0, 1 - inside)
    if (at(ranks, index) > size) outside++
  }
  if (logChanceOfAtLeast(outside, expected) >= Math.log(THRESHOLDS.falseAlarm.value)) return undefined
  return failure(
    'LOGPROB_RANDOM',
    `${outside} of ${tokens.length} tokens lie outside the top ${size} where ${shown(expected)} are expected.`,
  )
}
