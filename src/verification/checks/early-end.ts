import { at } from '../distributions.js'
import { chanceOf, type JudgedAnswer } from '../evidence.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

/** An answer shorter than asked must have ended by itself, where the model may end. */
export const checkEarlyEnd: Check = (answer) => {
  const { tokens, maxTokens, tops, endTokenIds, temperature } = answer
  if (tokens.length >= maxTokens) return undefined
  if (answer.finishReason !== 'stop') {
    return failure(
      'EARLY_END',
      `Ended after ${tokens.length} of ${maxTokens} tokens with finish_reason ${answer.finishReason ?? 'missing'}.`,
    )
  }
  if (endTokenIds.size === 0) return undefined
  const last = tokens.at(-1)
  const ended = last !== undefined && endTokenIds.has(last.id)
  const position = ended ? tokens.length - 1 : tokens.length
  const start = at(tops.starts, position)
  const topRank = Math.trunc(temperature * 10) + THRESHOLDS.endTokenExtra.value
  const end = Math.min(start + topRank, at(tops.starts, position + 1))
  if (tops.ids.subarray(start, end).some((id) => endTokenIds.has(id))) return undefined
  const chance = ended ? ownChance(answer, position) : chanceOf(endTokenIds, answer, position)
  if (chance >= THRESHOLDS.endTokenChance.value) return undefined
  return failure(
    'EARLY_END',
    `Ended after ${tokens.length} of ${maxTokens} tokens where the end token has a chance of ${shown(chance)}.`,
  )
}

/** Largest chance the token at this position itself can have had, also outside the top. */
function ownChance({ logprobs, sampled }: JudgedAnswer, position: number): number {
  const power = sampled.exponent * at(logprobs, position)
  return Math.min(1, Math.exp(power - at(sampled.lowLogNormaliser, position)))
}
