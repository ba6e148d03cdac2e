import type { ReferenceEngine } from '../../../engine/index.js'
import type { ComparedAnswer } from '../../../evidence/index.js'
import type { Answer, InferenceRequest } from '../../../inference/index.js'
import { isAbort, messageOf } from '../../../kernel/index.js'
import type { JudgedAnswer, Verdict } from '../../../verification/index.js'

/** What a verdict needs from the rest of the program. */
export interface JudgePorts {
  readonly verify: (
    engine: ReferenceEngine,
    request: InferenceRequest,
    answer: Answer,
    signal: AbortSignal,
    /** Called at most once, with an answer that was compared with the reference. */
    onCompared?: (compared: ComparedAnswer, judged: JudgedAnswer) => void,
  ) => Promise<Verdict>
  /** A longer stall around the end of an answer voids its speed. */
  readonly stallLimitMs: number
}

/** An answer that was received, complete or not. */
export interface ReceivedAnswer {
  readonly engine: ReferenceEngine
  readonly request: InferenceRequest
  readonly answer: Answer
  /** By how much a stall of the event loop may have falsified its times. */
  readonly stallMs: number
  /** Called with the tokens that were compared with the reference: of a whole answer, or of the part that arrived. */
  readonly onCompared?: ((compared: ComparedAnswer, judged: JudgedAnswer) => void) | undefined
}

/** Why this validator ended a stream: `worthless` fails the miner, `no-room` is our own lack of room. */
export interface StreamStop {
  readonly kind: 'worthless' | 'no-room'
  readonly detail: string
}

export interface Judgement {
  readonly verdict: Verdict
  /** Verdict on the tokens of an answer that was cut off while it streamed; absent for every other answer. */
  readonly soFar?: Verdict
}

/** A stall that is a smaller share of the time an answer took changes its speed less than the network does. */
const STALL_SHARE = 0.01
/** Fewer tokens prove nothing. */
const LEAST_TOKENS = 3

/** The verdict on an answer; for one that was cut off also a verdict on its tokens so far. Never rejects. */
export async function judgeStream(
  received: ReceivedAnswer,
  stop: StreamStop | undefined,
  ports: JudgePorts,
  signal: AbortSignal,
): Promise<Judgement> {
  // A stream that ended before the stop reached it is judged like any other.
  if (stop === undefined || received.answer.fault?.cause !== 'aborted') {
    const verdict = await judgeAnswer(received, ports, signal)
    // Only its slowness failed it, or the connection: its tokens so far still tell what the rounds sat out are worth.
    const { fault } = received.answer
    const isCutOff = verdict.kind === 'failed' && (fault?.cause === 'TIMEOUT' || fault?.timed === 'deadline')
    return isCutOff ? withTokens(verdict, await judgeTokens(received, ports, signal)) : { verdict }
  }
  const soFar = await judgeTokens(received, ports, signal)
  if (stop.kind === 'worthless')
    return withTokens({ kind: 'failed', cause: 'TIMEOUT', detail: stop.detail }, soFar)
  // Tokens that the model would not write fail whoever ended the stream.
  if (soFar?.kind === 'failed') return { verdict: soFar, soFar }
  return withTokens({ kind: 'inconclusive', reason: 'no-room', detail: stop.detail }, soFar)
}

function withTokens(verdict: Verdict, soFar: Verdict | undefined): Judgement {
  return soFar ? { verdict, soFar } : { verdict }
}

/**
 * Only the validator's own faults are inconclusive: its shutdown, its stalled event loop, its engine. A stall only voids
 * what depends on arrival times: a miner whose answer fails for any other cause fails whatever this process was doing.
 */
async function judgeAnswer(
  { engine, request, answer, stallMs, onCompared }: ReceivedAnswer,
  ports: JudgePorts,
  signal: AbortSignal,
): Promise<Verdict> {
  const { fault } = answer
  if (fault?.cause === 'aborted') return { kind: 'inconclusive', reason: 'aborted', detail: fault.detail }
  const isLate = stallMs > ports.stallLimitMs && stallMs > STALL_SHARE * answer.timing.totalMs
  if (!isLate) return await verify({ engine, request, answer, onCompared }, ports, signal)
  if (fault?.timed === 'deadline') return voided(stallMs)
  // A burst may be the work of the stall; whether the tokens are the model's is not.
  const untimed = fault?.timed === 'burst' ? { ...answer, fault: undefined } : answer
  const verdict = await verify({ engine, request, answer: untimed, onCompared }, ports, signal)
  return verdict.kind === 'verified' && !verdict.hasNoSpeed ? voided(stallMs) : verdict
}

function voided(stallMs: number): Verdict {
  return {
    kind: 'inconclusive',
    reason: 'stalled-loop',
    detail: `the event loop stalled for ${Math.round(stallMs)} ms when the answer ended`,
  }
}

/** Whether the tokens of an answer failed it, and not only how they arrived. */
export function hasFailedContent({
  verdict,
  soFar,
  answer,
}: Judgement & { readonly answer: Answer }): boolean {
  if (verdict.kind !== 'failed') return false
  const hasArrived = answer.fault === undefined && answer.status === 200
  return hasArrived || soFar?.kind === 'failed' || verdict.cause === 'EVIDENCE'
}

/** Judges what arrived as if no more had been requested; undefined when there is too little. */
async function judgeTokens(
  { engine, request, answer, onCompared }: ReceivedAnswer,
  ports: JudgePorts,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  const { tokens, status } = answer
  if (tokens.length < LEAST_TOKENS || status !== 200 || signal.aborted) return undefined
  const part = {
    engine,
    request: { ...request, maxTokens: tokens.length },
    answer: { ...answer, fault: undefined, finishReason: 'length' },
    onCompared,
  }
  return await verify(part, ports, signal)
}

async function verify(
  { engine, request, answer, onCompared }: Omit<ReceivedAnswer, 'stallMs'>,
  ports: JudgePorts,
  signal: AbortSignal,
): Promise<Verdict> {
  try {
    return await ports.verify(engine, request, answer, signal, onCompared)
  } catch (error) {
    const reason = isAbort(error) || signal.aborted ? 'aborted' : 'engine-unavailable'
    return { kind: 'inconclusive', reason, detail: messageOf(error) }
  }
}
