import { at } from '../../evidence/index.js'
import { logProbabilityAtLeast } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

/**
 * Fails when more tokens lie outside the engine's top K than the tails of its distributions explain.
 *
 * Bound: Chernoff, at most `falseAlarm` for an honest answer. Source: 4.4.1 fails on five tokens of rank 25 or more, which
 * honest answers reach at high temperatures; the expected count grows with the temperature.
 */
export const checkFarTokens: Check = ({ tokens, ranks, sampling, topK }) => {
  let count = 0
  let expected = 0
  let worst = { index: 0, rank: 0 }
  for (let index = 0; index < tokens.length; index++) {
    const rank = at(ranks, index)
    expected += at(sampling.tail, index)
    if (rank <= topK) continue
    count++
    if (rank > worst.rank) worst = { index, rank }
  }
  if (logProbabilityAtLeast(count, expected) >= Math.log(THRESHOLDS.falseAlarm.value)) return undefined
  return failure(
    'UNLIKELY_TOKEN',
    `${count} tokens lie outside the top ${topK}, expected ${formatNumber(expected)}; the worst is token ${worst.index} with rank ${worst.rank}.`,
  )
}
