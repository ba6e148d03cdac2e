import { type PreparedAnswer, probabilityOfAny } from '../answer-comparison.js'
import { at } from '../distributions.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, formatNumber } from './check.js'

/**
 * Fails an answer shorter than max_tokens that did not end by itself: its finish_reason must be `stop`, and an end token
 * must be likely where it ended.
 *
 * Bound: an end token among the top trunc(10·T)+6, or with a probability of at least `endTokenChance`. Source: 4.4.1 looks
 * for the end token in the same top; rarer ends are allowed here, because honest samplers draw them now and then.
 */
export const checkEarlyEnd: Check = (answer) => {
  const { tokens, maxTokens, top, endTokenIds, temperature } = answer
  if (tokens.length >= maxTokens) return undefined
  if (answer.finishReason !== 'stop') {
    return failure(
      'EARLY_END',
      `The answer ended after ${tokens.length} of ${maxTokens} tokens with finish_reason ${answer.finishReason ?? 'missing'}.`,
    )
  }
  if (endTokenIds.size === 0) return undefined
  const last = tokens.at(-1)
  const hasEndToken = last !== undefined && endTokenIds.has(last.id)
  const position = hasEndToken ? tokens.length - 1 : tokens.length
  const start = at(top.starts, position)
  const topRank = Math.trunc(temperature * 10) + THRESHOLDS.endTokenExtra.value
  const end = Math.min(start + topRank, at(top.starts, position + 1))
  if (top.ids.subarray(start, end).some((id) => endTokenIds.has(id))) return undefined
  const probability = hasEndToken
    ? largestProbability(answer, position)
    : probabilityOfAny(endTokenIds, answer, position)
  if (probability >= THRESHOLDS.endTokenChance.value) return undefined
  return failure(
    'EARLY_END',
    `The answer ended after ${tokens.length} of ${maxTokens} tokens, where an end token has a probability of ${formatNumber(probability)}.`,
  )
}

/** The largest probability the answer's token at this position can have had; it may lie outside the top. */
function largestProbability({ logprobs, sampling }: PreparedAnswer, position: number): number {
  const power = sampling.exponent * at(logprobs, position)
  return Math.min(1, Math.exp(power - at(sampling.lowLogNormaliser, position)))
}
