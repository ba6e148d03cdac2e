import { at } from '../distributions.js'
import { logChanceOfAtLeast } from '../statistics.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

/** More tokens outside the engine's top K than the tail of its distributions allows (4.4.1: five of rank 25 or more). */
export const checkUnlikelyToken: Check = ({ tokens, ranks, sampled, topK }) => {
  let count = 0
  let expected = 0
  let worst = { index: 0, rank: 0 }
  for (let index = 0; index < tokens.length; index++) {
    const rank = at(ranks, index)
    expected += at(sampled.rest, index)
    if (rank <= topK) continue
    count++
    if (rank > worst.rank) worst = { index, rank }
  }
  if (logChanceOfAtLeast(count, expected) >= Math.log(THRESHOLDS.falseAlarm.value)) return undefined
  return failure(
    'UNLIKELY_TOKEN',
    `${count} tokens lie outside the top ${topK} where ${shown(expected)} are expected; worst is token ${worst.index} with rank ${worst.rank}.`,
  )
}
