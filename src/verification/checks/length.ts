import { THRESHOLDS } from '../thresholds.js'
import { type Failure, failure } from './failure.js'

/** 4.4.1 verify: TOO_SHORT, TOO_LONG. */
export function checkLength(tokenCount: number, maxTokens: number): Failure | undefined {
  if (tokenCount < THRESHOLDS.shortestAnswer.value) {
    return failure(
      'TOO_SHORT',
      `${tokenCount} tokens; at least ${THRESHOLDS.shortestAnswer.value} are needed.`,
    )
  }
  if (tokenCount > maxTokens) {
    return failure('TOO_LONG', `${tokenCount} tokens where ${maxTokens} were asked for.`)
  }
  return undefined
}
