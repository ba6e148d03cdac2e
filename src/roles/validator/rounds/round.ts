import type { ReferenceEngine } from '../../../engine/index.js'
import type { Answer, InferenceRequest } from '../../../inference/index.js'
import { type Clock, isAbort, messageOf } from '../../../kernel/index.js'
import type { Verdict } from '../../../verification/index.js'
import type { ServingMiner } from '../subnet/index.js'
import { isReady, type RoundPlan } from './round-plan.js'

/** One answer of one miner with its verdict. */
export interface RoundResult {
  readonly round: number
  /** Block at which the round began. */
  readonly block: number
  /** Wall clock of the verdict, in milliseconds. */
  readonly at: number
  readonly miner: ServingMiner
  readonly request: InferenceRequest
  readonly answer: Answer
  readonly verdict: Verdict
  /** Longest stall of the event loop while the answer streamed. */
  readonly stallMs: number
}

/** What a round uses from the rest of the program; built by `connectPorts`. */
export interface RoundPorts {
  readonly clock: Clock
  /** Makes the requests of one round: miners share the question, each has its own seed and persona. */
  readonly prompts: (
    plan: RoundPlan,
    round: number,
    signal: AbortSignal,
  ) => Promise<(miner: ServingMiner) => InferenceRequest>
  /** Signs in advance what does not depend on the request, while prompts are made. */
  readonly signAhead?: (miner: ServingMiner) => void
  /** Signs now and returns the call to start later, so that no measured time includes signing. */
  readonly prepare: (
    request: InferenceRequest,
    miner: ServingMiner,
  ) => (signal: AbortSignal) => Promise<Answer>
  readonly verify: (
    engine: ReferenceEngine,
    request: InferenceRequest,
    answer: Answer,
    signal: AbortSignal,
  ) => Promise<Verdict>
  /** What earlier answers of the miner make of a verdict. */
  readonly review?: (hotkey: string, model: string, verdict: Verdict) => Verdict
  /** Longest stall of this event loop since then, for answers whose reader did not measure its own. */
  readonly stallSince: (monotonicMs: number) => number
  /** A longer stall voids a result. */
  readonly stallLimitMs: number
}

/** Signatures expire after 8 s; the oldest of a round must reach its miner well before. */
const SIGNING_MS = 4000

/** Miners signed for between two turns of the event loop, on which other answers are timed. */
const SIGNED_PER_TURN = 8

export interface RoundStart {
  /** Number of the round, from 0. */
  readonly round: number
  readonly block: number
  /** Answers are judged from here on even if some still stream. */
  readonly judgeAt: Promise<void>
  readonly onResult: (result: RoundResult) => void
}

export interface RunningRound {
  /** maxTokens requested from every miner of this round. */
  readonly maxTokens: number
  readonly queries: readonly RunningQuery[]
  /** Grows with every verdict. */
  readonly results: readonly RoundResult[]
  /** Settles when every answer has a verdict; never rejects. */
  readonly done: Promise<void>
}

/** The query to one miner, until its verdict. */
export interface RunningQuery {
  readonly hotkey: string
  readonly startedAt: number
  /** False once the answer is complete and only the verdict is pending. */
  readonly isStreaming: () => boolean
  /** Ends the stream as a failure of the miner: it was too slow for too long. */
  cut(reason: string): void
  readonly done: Promise<void>
}

/**
 * Starts one round: prompt, all signatures, then all miners at once. Answers are judged when the last one of the round
 * is complete, or at `judgeAt`, so that verifying slows no answer down; later ones are judged one by one.
 */
export async function startRound(
  plan: RoundPlan,
  start: RoundStart,
  ports: RoundPorts,
  signal: AbortSignal,
): Promise<RunningRound> {
  const [requestFor] = await Promise.all([
    ports.prompts(plan, start.round, signal),
    signAhead(plan.miners, ports),
  ])
  // Rewriting the question took time: without its engine no answer could be verified.
  if (!isReady(plan.engine)) throw new Error(plan.engine.unreadyReason ?? 'the engine is not ready')
  const signedAt = ports.clock.monotonic()
  const prepared = await prepareAll(plan.miners, requestFor, ports)
  // Honest miners reject stale signatures and would be scored as failed.
  if (ports.clock.monotonic() - signedAt > SIGNING_MS)
    throw new Error('process stalled after signing; signatures expired')
  const { calls, allIn } = startCalls(prepared, ports, signal)
  const mayJudge = Promise.race([allIn, start.judgeAt])
  const results: RoundResult[] = []
  const queries = calls.map(({ miner, request, answer, cutVerdict, ...query }): RunningQuery => {
    const judge = async () => {
      const received = await answer
      await mayJudge
      const judged = cutVerdict() ?? (await judgeAnswer(plan.engine, request, received, ports, signal))
      const verdict = ports.review?.(miner.hotkey, request.model, judged) ?? judged
      const result: RoundResult = {
        round: start.round,
        block: start.block,
        at: ports.clock.now(),
        ...{ miner, request, ...received, verdict },
      }
      results.push(result)
      start.onResult(result)
    }
    return { hotkey: miner.hotkey, ...query, done: judge() }
  })
  return {
    maxTokens: Math.max(0, ...prepared.map(({ request }) => request.maxTokens)),
    queries,
    results,
    done: Promise.allSettled(queries.map(({ done }) => done)).then(() => {}),
  }
}

async function signAhead(miners: readonly ServingMiner[], ports: RoundPorts): Promise<void> {
  if (!ports.signAhead) return
  for (const [index, miner] of miners.entries()) {
    if (index % SIGNED_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    ports.signAhead(miner)
  }
}

interface PreparedQuery {
  readonly miner: ServingMiner
  readonly request: InferenceRequest
  readonly call: ReturnType<RoundPorts['prepare']>
}

async function prepareAll(
  miners: readonly ServingMiner[],
  requestFor: (miner: ServingMiner) => InferenceRequest,
  ports: RoundPorts,
): Promise<PreparedQuery[]> {
  const prepared: PreparedQuery[] = []
  for (const [index, miner] of miners.entries()) {
    if (index % SIGNED_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    const request = requestFor(miner)
    prepared.push({ miner, request, call: ports.prepare(request, miner) })
  }
  return prepared
}

/** Starts all calls at once. One listener aborts them all: deriving a signal per miner gets more expensive with their number. */
function startCalls(prepared: readonly PreparedQuery[], ports: RoundPorts, signal: AbortSignal) {
  const aborts: AbortController[] = []
  const abortAll = () => {
    for (const abort of aborts) abort.abort(signal.reason)
  }
  signal.addEventListener('abort', abortAll, { once: true })
  const calls = prepared.map(({ miner, request, call }) => {
    const abort = new AbortController()
    aborts.push(abort)
    return { miner, request, ...startCall(call, ports, abort) }
  })
  if (signal.aborted) abortAll()
  const allIn = Promise.allSettled(calls.map(({ answer }) => answer)).then(() =>
    signal.removeEventListener('abort', abortAll),
  )
  return { calls, allIn }
}

type Received = Pick<RoundResult, 'answer' | 'stallMs'>

function startCall(
  call: (signal: AbortSignal) => Promise<Answer>,
  ports: RoundPorts,
  abort: AbortController,
) {
  const startedAt = ports.clock.monotonic()
  let verdict: Verdict | undefined
  let isStreaming = true
  const answer: Promise<Received> = call(abort.signal).then((received) => {
    isStreaming = false
    return { answer: received, stallMs: received.stallMs ?? ports.stallSince(startedAt) }
  })
  return {
    startedAt,
    answer,
    isStreaming: () => isStreaming,
    cut: (reason: string) => {
      if (!isStreaming) return
      verdict = { kind: 'failed', cause: 'TIMEOUT', detail: reason }
      abort.abort()
    },
    cutVerdict: () => verdict,
  }
}

/** Only the validator's own faults are inconclusive: its shutdown, its stalled event loop, its engine. */
async function judgeAnswer(
  engine: ReferenceEngine,
  request: InferenceRequest,
  { answer, stallMs }: Received,
  ports: RoundPorts,
  signal: AbortSignal,
): Promise<Verdict> {
  if (answer.fault?.cause === 'aborted')
    return { kind: 'inconclusive', reason: 'aborted', detail: answer.fault.detail }
  if (stallMs > ports.stallLimitMs)
    return {
      kind: 'inconclusive',
      reason: 'stalled-loop',
      detail: `the event loop stalled for ${Math.round(stallMs)} ms while the answer streamed`,
    }
  try {
    return await ports.verify(engine, request, answer, signal)
  } catch (error) {
    const reason = isAbort(error) || signal.aborted ? 'aborted' : 'engine-unavailable'
    return { kind: 'inconclusive', reason, detail: messageOf(error) }
  }
}
