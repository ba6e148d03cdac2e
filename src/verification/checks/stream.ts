import type { Answer } from '../../inference/index.js'
import { THRESHOLDS } from '../thresholds.js'
import { type Failure, failure } from './check.js'

/** Fails an answer whose stream broke a limit, whose status is not 200, or whose chunks lost token ids. */
export function checkStream(answer: Answer): Failure | undefined {
  const { fault, status } = answer
  if (fault && fault.cause !== 'aborted') return failure(fault.cause, fault.detail)
  if (status !== 200) return failure('BAD_STREAM', `The miner answered with status ${status}.`)
  if (answer.lostTokens) {
    return failure('MULTI_TOKEN_CHUNK', 'A chunk carried several tokens but not all of their ids.')
  }
  return undefined
}

/**
 * Fails an answer with more than max_tokens tokens, and one with fewer than 3 that neither ended by itself nor has all that
 * was requested. Source: 4.4.1 verifier/verifier.py verify, which fails every answer of fewer than 3 tokens, although models
 * do end that early now and then.
 */
export function checkLength(
  { tokens, finishReason }: Pick<Answer, 'tokens' | 'finishReason'>,
  maxTokens: number,
): Failure | undefined {
  const count = tokens.length
  const mayBeShort = count > 0 && (finishReason === 'stop' || count >= maxTokens)
  if (count < THRESHOLDS.shortestAnswer.value && !mayBeShort) {
    return failure('TOO_SHORT', `${count} tokens; at least ${THRESHOLDS.shortestAnswer.value} are needed.`)
  }
  if (count > maxTokens)
    return failure('TOO_LONG', `${count} tokens where at most ${maxTokens} were requested.`)
  return undefined
}
