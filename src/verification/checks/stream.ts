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

/** Fails an answer with fewer than 3 or more than max_tokens tokens (4.4.1 verifier/verifier.py verify). */
export function checkLength(tokenCount: number, maxTokens: number): Failure | undefined {
  if (tokenCount < THRESHOLDS.shortestAnswer.value) {
    return failure(
      'TOO_SHORT',
      `${tokenCount} tokens; at least ${THRESHOLDS.shortestAnswer.value} are needed.`,
    )
  }
  if (tokenCount > maxTokens) {
    return failure('TOO_LONG', `${tokenCount} tokens where at most ${maxTokens} were requested.`)
  }
  return undefined
}
