import type { OutputToken } from '../../inference/index.js'
import type { CheckedToken } from '../answer-comparison.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Failure, failure, formatNumber } from './check.js'

/**
 * Fails on an id outside the vocabulary, a logprob no model reports, or half of a surrogate pair.
 *
 * Runs before anything is sent to the engine: an id outside the vocabulary can crash it (vLLM 0.6.x does not validate).
 */
export function checkTokenHygiene(
  tokens: readonly OutputToken[],
  vocabularySize: number,
): Failure | readonly CheckedToken[] {
  const checked: CheckedToken[] = []
  for (const [index, { text, tokenId, logprob }] of tokens.entries()) {
    if (tokenId === undefined) return failure('NO_LOGPROBS', `Token ${index} has no id.`)
    if (!Number.isSafeInteger(tokenId) || tokenId < 0 || tokenId >= vocabularySize) {
      return failure(
        'BAD_TOKEN',
        `Token ${index} has id ${tokenId}; the largest id of the vocabulary is ${vocabularySize - 1}.`,
      )
    }
    if (/\p{Surrogate}/u.test(text))
      return failure('BAD_TOKEN', `Token ${index} contains half of a surrogate pair.`)
    const failed = checkLogprob(index, logprob)
    if (failed) return failed
    checked.push({ id: tokenId, logprob: Math.min(0, logprob ?? 0) })
  }
  return checked
}

function checkLogprob(index: number, logprob: number | undefined): Failure | undefined {
  const sentinel = THRESHOLDS.sentinelLogprob.value
  if (logprob === undefined) return failure('NO_LOGPROBS', `Token ${index} has no logprob.`)
  if (Number.isNaN(logprob) || logprob <= -sentinel) {
    return failure(
      'NO_LOGPROBS',
      `Token ${index} claims logprob ${logprob}, which no sampled token can have.`,
    )
  }
  if (logprob >= sentinel) return failure('BAD_TOKEN', `Token ${index} claims logprob ${logprob}.`)
  if (logprob > THRESHOLDS.positiveLogprob.value) {
    return failure(
      'LOGPROB_MISMATCH',
      `Token ${index} claims logprob ${formatNumber(logprob)}, which is a probability above 1.`,
    )
  }
  return undefined
}
