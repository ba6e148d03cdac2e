import type { OutputToken } from '../../inference/index.js'
import type { SoundToken } from '../evidence.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Failure, failure, shown } from './failure.js'

/**
 * Every id must be one of the vocabulary and every logprob one a model can report, before anything reaches the
 * engine: an id outside the vocabulary may end it (vLLM 0.6.x has no guard).
 */
export function checkTokens(
  tokens: readonly OutputToken[],
  vocabularySize: number,
): Failure | readonly SoundToken[] {
  const sound: SoundToken[] = []
  for (const [index, { text, tokenId, logprob }] of tokens.entries()) {
    if (tokenId === undefined) return failure('NO_LOGPROBS', `Token ${index} came without its id.`)
    if (!Number.isSafeInteger(tokenId) || tokenId < 0 || tokenId >= vocabularySize) {
      return failure(
        'BAD_TOKEN',
        `Token ${index} has id ${tokenId}; the vocabulary ends at ${vocabularySize - 1}.`,
      )
    }
    if (/\p{Surrogate}/u.test(text))
      return failure('BAD_TOKEN', `Token ${index} is half of a surrogate pair.`)
    const bad = checkLogprob(index, logprob)
    if (bad) return bad
    sound.push({ id: tokenId, logprob: Math.min(0, logprob ?? 0) })
  }
  return sound
}

function checkLogprob(index: number, logprob: number | undefined): Failure | undefined {
  const sentinel = THRESHOLDS.sentinelLogprob.value
  if (logprob === undefined) return failure('NO_LOGPROBS', `Token ${index} came without its logprob.`)
  if (Number.isNaN(logprob) || logprob <= -sentinel) {
    return failure('NO_LOGPROBS', `Token ${index} claims logprob ${logprob}, which no sampled token has.`)
  }
  if (logprob >= sentinel) return failure('BAD_TOKEN', `Token ${index} claims logprob ${logprob}.`)
  if (logprob > THRESHOLDS.positiveLogprob.value) {
    return failure(
      'LOGPROB_MISMATCH',
      `Token ${index} claims logprob ${shown(logprob)}, a probability above 1.`,
    )
  }
  return undefined
}
