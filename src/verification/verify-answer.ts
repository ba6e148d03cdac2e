import type { ModelFacts, ReferenceEngine } from '../engine/index.js'
import type { Answer, InferenceRequest } from '../inference/index.js'
import { type Clock, isAbort, messageOf, TargonError } from '../kernel/index.js'
import type { RuleSet, ValidatorFault, Verdict } from './verdict.js'
import { verifyStrict } from './verify-strict.js'
import { verifyTargon4 } from './verify-targon-4.js'

export interface VerificationRequest {
  readonly request: InferenceRequest
  readonly answer: Answer
  readonly engine: ReferenceEngine
  readonly rules: RuleSet
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** What both rule sets are given once the engine is known to be ready. */
export interface ReadyVerification extends VerificationRequest {
  readonly facts: ModelFacts
}

/**
 * The verdict on one answer. Never throws: faults of the validator (engine down, shutdown) are inconclusive, and
 * under `strict` nothing a miner sends is.
 */
export async function verifyAnswer(verification: VerificationRequest): Promise<Verdict> {
  const { answer, engine, signal, rules } = verification
  if (answer.fault?.cause === 'aborted') return inconclusive('aborted', answer.fault.detail)
  const facts = engine.facts
  if (!facts) {
    return inconclusive(
      'engine-unavailable',
      engine.unreadyReason ?? `The engine of ${engine.model} is not ready.`,
    )
  }
  try {
    const ready = { ...verification, facts }
    const verdict = rules === 'strict' ? await verifyStrict(ready) : await verifyTargon4(ready)
    if (engine.facts === facts) return verdict
    return inconclusive('engine-answer', 'The engine was replaced while it judged this answer.')
  } catch (error) {
    if (signal.aborted || isAbort(error)) return inconclusive('aborted', 'The validator is stopping.')
    const answered = error instanceof TargonError && error.code === 'ENGINE_ANSWER'
    return inconclusive(answered ? 'engine-answer' : 'engine-unavailable', messageOf(error))
  }
}

export function inconclusive(reason: ValidatorFault, detail: string): Verdict {
  return { kind: 'inconclusive', reason, detail }
}
