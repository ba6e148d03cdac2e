import type { Answer } from '../../inference/index.js'
import { type Failure, failure } from './failure.js'

/** The stream itself: how it ended, its status, and tokens lost in chunks that carried several. */
export function checkStream(answer: Answer): Failure | undefined {
  const { fault, status } = answer
  if (fault && fault.cause !== 'aborted') return failure(fault.cause, fault.detail)
  if (status !== 200) return failure('BAD_STREAM', `The miner answered with status ${status}.`)
  if (answer.lostTokens) {
    return failure('MULTI_TOKEN_CHUNK', 'A chunk carried several tokens and not all of their ids.')
  }
  return undefined
}
