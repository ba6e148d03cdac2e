import type { ReferenceEngine } from '../../engine/index.js'
import { type Answer, askMiner, type BurstRule, type InferenceRequest } from '../../inference/index.js'
import { type Clock, TargonError } from '../../kernel/index.js'
import { type RuleSet, type Verdict, verifyAnswer } from '../../verification/index.js'
import type { Signer } from '../../wallet/index.js'
import type { Miner } from './miners.js'

export interface AskDeps {
  readonly signer: Signer
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Whole answer, milliseconds. */
  readonly timeoutMs: number
  readonly onText?: (text: string) => void
}

/** What judges an answer. */
export interface Judge {
  readonly engine: ReferenceEngine
  readonly rules: RuleSet
  /** What counts as made first and streamed later; null: nothing. */
  readonly burst: BurstRule | null
}

/** One miner's answer, with the verdict when a judge was given. */
export interface JudgedReply {
  readonly miner: Miner
  readonly request: InferenceRequest
  readonly answer: Answer
  readonly verdict: Verdict | undefined
}

/** Asks and judges. Whatever the miner does is in the reply; nothing is thrown for it. */
export async function askAndJudge(
  request: InferenceRequest,
  miner: Miner,
  judge: Judge | undefined,
  deps: AskDeps,
): Promise<JudgedReply> {
  const { signer, clock, signal, timeoutMs, onText } = deps
  const answer = await askMiner(request, miner, {
    signer,
    clock,
    signal,
    limits: { totalMs: timeoutMs },
    ...(judge ? { rules: judge.rules, burst: judge.burst } : {}),
    ...(onText === undefined ? {} : { onText }),
  })
  const verdict =
    judge && answer.fault === undefined
      ? await verifyAnswer({ request, answer, ...judge, clock, signal })
      : undefined
  return { miner, request, answer, verdict }
}

/** @throws TargonError MINER_ANSWER (upstream) for an answer that broke off, VERIFICATION_FAILED, VERDICT_INCONCLUSIVE. */
export function requireGoodReply({ miner, answer, verdict }: JudgedReply): void {
  const name = miner.uid === undefined ? miner.url : `uid ${miner.uid} at ${miner.url}`
  if (answer.fault)
    throw new TargonError(`The miner ${name} did not answer properly: ${describeFault(answer)}.`, {
      code: 'MINER_ANSWER',
      fault: 'upstream',
      next: adviceFor(answer.status),
      facts: { status: answer.status, cause: answer.fault.cause },
    })
  if (verdict?.kind === 'failed')
    throw new TargonError(`The answer did not verify: ${verdict.cause} (${verdict.detail}).`, {
      code: 'VERIFICATION_FAILED',
      fault: 'verification',
      next: 'Ask another miner; this one does not run the model it claims.',
      facts: { cause: verdict.cause },
    })
  if (verdict?.kind === 'inconclusive')
    throw new TargonError(`No verdict: ${verdict.reason} (${verdict.detail}).`, {
      code: 'VERDICT_INCONCLUSIVE',
      fault: 'upstream',
      next: 'Check the reference engine given by --engine.endpoints.',
      facts: { reason: verdict.reason },
    })
}

export function describeFault({ fault, status }: Answer): string {
  const detail = fault?.detail ?? 'no fault'
  return status === 0 || status === 200 ? detail : `status ${status}, ${detail}`
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403)
    return 'It refuses this hotkey: callers must be registered, and most miners ask for stake.'
  if (status === 404) return 'It does not serve this model; see targon query --list.'
  if (status === 429 || status === 503) return 'It is busy; ask again later or another miner.'
  return 'Ask another miner; see targon query --list.'
}
