import { CHECKS } from './checks/index.js'
import { type Evidence, prepareAnswer } from './evidence.js'
import type { Verdict } from './verdict.js'

/**
 * The strict rules over an answer whose tokens passed hygiene. Inconclusive only when the engine's reference does not
 * belong to these tokens, which is the engine's fault.
 */
export function judgeStrict(evidence: Evidence): Verdict {
  const answer = prepareAnswer(evidence)
  if (!answer) {
    return {
      kind: 'inconclusive',
      reason: 'engine-answer',
      detail: 'The engine’s reference lacks a position or its token.',
    }
  }
  for (const check of CHECKS) {
    const failed = check(answer)
    if (failed) return failed
  }
  return { kind: 'verified' }
}
