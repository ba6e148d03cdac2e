import type { ReferenceEngine } from '../../../engine/index.js'
import type { ComparedAnswer, Observation } from '../../../evidence/index.js'
import type { Answer, InferenceRequest, StreamProgress } from '../../../inference/index.js'
import { type Clock, Turns } from '../../../kernel/index.js'
import type { JudgedAnswer, Verdict } from '../../../verification/index.js'
import { isReady, type ServingMiner } from '../subnet/index.js'
import { type Judgement, type JudgePorts, judgeStream, type StreamStop } from './judge.js'
import type { RoundPlan } from './round-plan.js'
import { mayGoUnchecked } from './unchecked.js'

/** One answer of one miner with its verdict. */
export interface RoundResult extends Judgement {
  readonly round: number
  /** Block at which the round began. */
  readonly block: number
  /** Wall clock of the verdict, in milliseconds. */
  readonly at: number
  readonly miner: ServingMiner
  readonly request: InferenceRequest
  readonly answer: Answer
  /** By how much a stall of the event loop may have falsified the times of the answer. */
  readonly stallMs: number
}

/** What a round uses from the rest of the program; built by `connectPorts`. */
export interface RoundPorts extends JudgePorts {
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
  readonly prepare: (request: InferenceRequest, miner: ServingMiner) => MinerCall
  /** Learns from every result. */
  readonly noteResult?: (result: RoundResult) => void
  /** What a compared answer says about its miner; undefined when it is not weighed. */
  readonly weigh?: (
    engine: ReferenceEngine,
    hotkey: string,
    compared: ComparedAnswer,
    judged: JudgedAnswer,
  ) => Observation | undefined
  /** Whether a complete answer of this miner is left unchecked; asked once per answer. */
  readonly leavesUnchecked?: (hotkey: string, model: string) => boolean
  /** What this and earlier answers of the miner together make of a verdict. */
  readonly review?: (answer: ReviewedAnswer) => Verdict
  /** Longest stall of this event loop since then, for answers whose reader did not measure its own. */
  readonly stallSince: (monotonicMs: number) => number
}

/** A complete answer that was not checked. */
export interface UncheckedAnswer {
  readonly miner: ServingMiner
  readonly model: string
  readonly block: number
  readonly tokensPerSecond: number
}

/** An answer with its verdict and what it says about its miner. */
export interface ReviewedAnswer {
  readonly hotkey: string
  readonly model: string
  readonly verdict: Verdict
  readonly observation: Observation | undefined
  /** Wall clock of the verdict, in milliseconds. */
  readonly at: number
}

export type MinerCall = (
  signal: AbortSignal,
  onProgress?: (progress: StreamProgress) => void,
) => Promise<Answer>

/** Signatures expire after 8 s; the oldest of a round must reach its miner well before. */
const SIGNING_MS = 4000

/** Miners signed for between two turns of the event loop, on which other answers are timed. */
const SIGNED_PER_TURN = 8
/** Answers whose judging begins in the same turn. */
const JUDGED_PER_TURN = 8

export interface RoundStart {
  /** Number of the round, from 0. */
  readonly round: number
  readonly block: number
  /** Answers are judged from here on even if some still stream. */
  readonly judgeAt: Promise<void>
  readonly onResult: (result: RoundResult) => void
  /** An answer gets no verdict, because `leavesUnchecked` said so. */
  readonly onUnchecked?: (answer: UncheckedAnswer) => void
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
  readonly miner: ServingMiner
  readonly model: string
  readonly maxTokens: number
  readonly startedAt: number
  /** False once the answer is complete and only the verdict is pending. */
  readonly isStreaming: () => boolean
  /** Undefined before the first tokens. */
  readonly progress: () => StreamProgress | undefined
  /** Ends the stream, as a failure of the miner or for want of room. */
  readonly stop: (stop: StreamStop) => void
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
  // Judging begins for all answers of the round at once; in one turn, a large round would hold up every timer and socket.
  const turns = new Turns(JUDGED_PER_TURN)
  const results: RoundResult[] = []
  const isUnchecked = (received: Received, request: InferenceRequest, { hotkey }: ServingMiner) =>
    mayGoUnchecked(received, request, plan.engine, ports.stallLimitMs) &&
    ports.leavesUnchecked?.(hotkey, request.model) === true
  const queries = calls.map(({ miner, request, answer, stopped, ...query }): RunningQuery => {
    const { model, maxTokens } = request
    const judge = async () => {
      const received = await answer
      await mayJudge
      await turns.next()
      if (stopped() === undefined && isUnchecked(received, request, miner)) {
        const { tokensPerSecond } = received.answer
        start.onUnchecked?.({ miner, model, block: start.block, tokensPerSecond })
        return
      }
      let observation: Observation | undefined
      const onCompared = (compared: ComparedAnswer, alone: JudgedAnswer) => {
        observation ??= ports.weigh?.(plan.engine, miner.hotkey, compared, alone)
      }
      const judged = { engine: plan.engine, request, ...received, onCompared }
      const judgement = await judgeStream(judged, stopped(), ports, signal)
      const at = ports.clock.now()
      const reviewed = { hotkey: miner.hotkey, model, verdict: judgement.verdict, observation, at }
      const verdict = ports.review?.(reviewed) ?? judgement.verdict
      const result: RoundResult = {
        round: start.round,
        block: start.block,
        at,
        ...{ miner, request, ...received, ...judgement, verdict },
      }
      results.push(result)
      ports.noteResult?.(result)
      start.onResult(result)
    }
    return { miner, model, maxTokens, ...query, done: judge() }
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
  readonly call: MinerCall
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

function startCall(call: MinerCall, ports: RoundPorts, abort: AbortController) {
  const startedAt = ports.clock.monotonic()
  let stopped: StreamStop | undefined
  let progress: StreamProgress | undefined
  let isStreaming = true
  const noteProgress = (next: StreamProgress) => {
    progress = next
  }
  const answer: Promise<Received> = call(abort.signal, noteProgress).then((received) => {
    isStreaming = false
    return { answer: received, stallMs: received.stallMs ?? ports.stallSince(startedAt) }
  })
  return {
    startedAt,
    answer,
    isStreaming: () => isStreaming,
    progress: () => progress,
    stop: (stop: StreamStop) => {
      if (!isStreaming) return
      stopped ??= stop
      abort.abort()
    },
    stopped: () => stopped,
  }
}
