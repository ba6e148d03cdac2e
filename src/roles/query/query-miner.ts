import { type Answer, askMiner, type InferenceRequest } from '../../inference/index.js'
import { type Clock, TargonError } from '../../kernel/index.js'
import { type Verdict, verifyAnswer } from '../../verification/index.js'
import type { Signer } from '../../wallet/index.js'
import { adviceFor, nameOf } from './advice.js'
import type { Miner } from './miners.js'
import type { Verifier } from './verifier.js'

export interface QueryOptions {
  readonly signer: Signer
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Timeout of the whole answer in ms. */
  readonly timeoutMs: number
  readonly onText?: (text: string) => void
}

/** Generous, because nothing else waits for this process: a slow or busy machine is no fault of the miner. */
const PARSING_MS = 10_000

/** The answer of a miner, and its verdict if a verifier was given and the answer is complete. */
export interface QueryReply {
  readonly miner: Miner
  readonly request: InferenceRequest
  readonly answer: Answer
  readonly verdict: Verdict | undefined
}

/** Queries a miner and verifies its answer. Never throws for what the miner does: its fault is in the reply. */
export async function queryMiner(
  request: InferenceRequest,
  miner: Miner,
  verifier: Verifier | undefined,
  { signer, clock, signal, timeoutMs, onText }: QueryOptions,
): Promise<QueryReply> {
  const answer = await askMiner(request, miner, {
    signer,
    clock,
    signal,
    limits: { totalMs: timeoutMs, parsingMs: PARSING_MS },
    ...(verifier ? { rules: verifier.rules, burst: verifier.burst } : {}),
    ...(onText === undefined ? {} : { onText }),
  })
  const verdict =
    verifier && answer.fault === undefined
      ? await verifyAnswer({ request, answer, ...verifier, clock, signal })
      : undefined
  return { miner, request, answer, verdict }
}

/** True for a complete answer that did not fail verification, if it was verified. */
export function isGoodReply({ answer, verdict }: QueryReply): boolean {
  return answer.fault === undefined && (verdict === undefined || verdict.kind === 'verified')
}

/**
 * @param ownNext what to do when the miner is one's own; without it, to query another.
 * @throws TargonError MINER_ANSWER (upstream) for an incomplete answer, VERIFICATION_FAILED, VERDICT_INCONCLUSIVE.
 */
export function requireGoodReply({ miner, answer, verdict }: QueryReply, ownNext?: string): void {
  if (answer.fault)
    throw new TargonError(`The miner ${nameOf(miner)} returned no valid answer: ${describeFault(answer)}.`, {
      code: 'MINER_ANSWER',
      fault: 'upstream',
      next: ownNext ?? adviceFor(answer.status),
      facts: { status: answer.status, cause: answer.fault.cause },
    })
  if (verdict?.kind === 'failed')
    throw new TargonError(`The answer failed verification: ${verdict.cause} (${verdict.detail}).`, {
      code: 'VERIFICATION_FAILED',
      fault: 'verification',
      next: ownNext ?? 'Query another miner; the cause says what is wrong with this answer.',
      facts: { cause: verdict.cause },
    })
  if (verdict?.kind === 'inconclusive')
    throw new TargonError(`The answer could not be verified: ${verdict.reason} (${verdict.detail}).`, {
      code: 'VERDICT_INCONCLUSIVE',
      fault: 'upstream',
      next: 'Check the reference engine set by --engine.endpoints.',
      facts: { reason: verdict.reason },
    })
}

export function describeFault({ fault, status }: Answer): string {
  const detail = fault?.detail ?? 'no fault'
  return status === 0 || status === 200 || detail.startsWith('answered ')
    ? detail
    : `status ${status}, ${detail}`
}
