import { chanceOf } from '../evidence.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Check, failure, shown } from './failure.js'

/** An answer shorter than asked must have ended by itself, where the model may end. */
export const checkEarlyEnd: Check = (answer) => {
  const { tokens, maxTokens, positions, endTokenIds, temperature } = answer
  if (tokens.length >= maxTokens) return undefined
  if (answer.finishReason !== 'stop') {
    return failure(
      'EARLY_END',
      `Ended after ${tokens.length} of ${maxTokens} tokens with finish_reason ${answer.finishReason ?? 'missing'}.`,
    )
  }
  if (endTokenIds.size === 0) return undefined
  const last = positions.at(-1)
  const ended = last !== undefined && endTokenIds.has(last.token.id)
  const place = ended ? last : answer.next
  const topRank = Math.trunc(temperature * 10) + THRESHOLDS.endTokenExtra.value
  if (place.top.ids.slice(0, topRank).some((id) => endTokenIds.has(id))) return undefined
  const chance = ended ? ownChance(answer, last) : chanceOf(endTokenIds, place)
  if (chance >= THRESHOLDS.endTokenChance.value) return undefined
  return failure(
    'EARLY_END',
    `Ended after ${tokens.length} of ${maxTokens} tokens where the end token has a chance of ${shown(chance)}.`,
  )
}

/** Largest chance the last token itself can have had, also outside the top. */
function ownChance(
  { referenceTemperature, samplingTemperature }: Parameters<Check>[0],
  last: Parameters<Check>[0]['positions'][number],
): number {
  const power = (referenceTemperature / samplingTemperature) * last.logprob
  return Math.min(1, Math.exp(power - last.sampled.logNormaliser.low))
}
