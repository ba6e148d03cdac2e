import { at } from '../../evidence/index.js'
import type { PreparedAnswer } from '../answer-comparison.js'
import { type Report, reportedLogprob, reportsOf } from '../reports.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure } from './check.js'

/**
 * Fails when too many tokens claim certainty (a logprob of exactly 0).
 *
 * Bound: the share of 4.4.1 (1 - min(T·0.5, 0.6)), and more than `overfitSlack` above the share of which the reference
 * itself is certain, in whichever way the server reports: at low temperatures an honest engine rounds many logprobs to 0,
 * and where the model's top_p, top_k or min_p leaves a single token, processed logprobs are exactly 0. Noise moves as many
 * positions to certainty as away from it. Source: 4.4.1 verify_logprobs.
 */
export const checkOverfit: Check = (answer) => {
  const { tokens, temperature } = answer
  // A share of a few tokens means little; checkAgreement judges them one by one.
  if (tokens.length < THRESHOLDS.tellingTokens.value) return undefined
  const claimed = tokens.filter(({ logprob }) => logprob === 0).length
  const share = claimed / tokens.length
  const uncertain = Math.min(
    temperature * THRESHOLDS.overfitPerTemperature.value,
    THRESHOLDS.overfitMost.value,
  )
  if (share < 1 - uncertain) return undefined
  let most = 0
  for (const report of reportsOf(answer)) {
    most = Math.max(most, countCertain(answer, report))
    if (share <= most / tokens.length + THRESHOLDS.overfitSlack.value) return undefined
  }
  return failure(
    'OVERFIT',
    `${claimed} of ${tokens.length} tokens claim certainty; the reference is certain of ${most}.`,
  )
}

function countCertain(answer: PreparedAnswer, report: Report): number {
  let certain = 0
  for (let index = 0; index < answer.tokens.length; index++) {
    const highest = Math.max(at(answer.logprobs, index), reportedLogprob(answer, report, index, 0).high)
    if (highest >= -THRESHOLDS.roundsToZero.value) certain++
  }
  return certain
}
