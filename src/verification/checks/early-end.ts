import { endingOf } from '../endings.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

/**
 * Fails an answer shorter than max_tokens that did not end by itself: its finish_reason must be `stop`, and an honest server
 * must be able to end there, whether it sends its end token or not.
 *
 * Bound: the probability of an end there, with `numericNoise` and the hardest truncation granted, times max_tokens is below
 * `falseAlarm` (union bound over all places). Ends above it are multiplied over a miner's answers (`weighEnding`). Source:
 * 4.4.1 accepts any end token among the top trunc(10·T)+6, however improbable.
 */
export const checkEarlyEnd: Check = (answer) => {
  const { tokens, maxTokens, finishReason } = answer
  if (tokens.length >= maxTokens) return undefined
  const cause = tokens.length < THRESHOLDS.shortestAnswer.value ? 'TOO_SHORT' : 'EARLY_END'
  const ended = `The answer ended after ${tokens.length} of ${maxTokens} tokens`
  if (finishReason !== 'stop')
    return failure(cause, `${ended} with finish_reason ${finishReason ?? 'missing'}.`)
  const ending = endingOf(answer)
  if (!ending || ending.chance * maxTokens >= THRESHOLDS.falseAlarm.value) return undefined
  return failure(
    cause,
    `${ended}, where an end token has a probability of at most ${formatNumber(ending.chance)}.`,
  )
}
