import type { ComparedAnswer } from '../evidence/index.js'
import { isAbort, messageOf, TargonError } from '../kernel/index.js'
import type { PreparedAnswer } from './answer-comparison.js'
import { inconclusive, type Verdict } from './verdict.js'
import type { VerificationRequest } from './verification-request.js'
import { verifyStrict } from './verify-strict.js'
import { verifyTargon4 } from './verify-targon-4.js'

/**
 * The verdict on one answer. Never throws: faults of the validator (engine down, shutdown) are inconclusive. Under
 * `strict` nothing a miner sends makes a verdict inconclusive.
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
    let noted: { readonly compared: ComparedAnswer; readonly prepared: PreparedAnswer } | undefined
    const note = (compared: ComparedAnswer, prepared: PreparedAnswer) => {
      noted = { compared, prepared }
    }
    const ready = { ...verification, facts, onCompared: verification.onCompared && note }
    const verdict = rules === 'strict' ? await verifyStrict(ready) : await verifyTargon4(ready)
    if (engine.facts === facts) {
      if (noted && verdict.kind !== 'inconclusive') {
        const { request } = verification
        const { ranks } = noted.prepared
        verification.onCompared?.(noted.compared, { request, answer, facts, ranks, verdict })
      }
      return verdict
    }
    return inconclusive('engine-answer', 'The engine was replaced while this answer was being verified.')
  } catch (error) {
    if (signal.aborted || isAbort(error)) return inconclusive('aborted', 'The validator is shutting down.')
    const isBadResponse = error instanceof TargonError && error.code === 'ENGINE_ANSWER'
    return inconclusive(isBadResponse ? 'engine-answer' : 'engine-unavailable', messageOf(error))
  }
}
