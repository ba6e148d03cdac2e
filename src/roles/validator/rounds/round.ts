import type { ReferenceEngine } from '../../../engine/index.js'
import type { Answer, InferenceRequest } from '../../../inference/index.js'
import { type Clock, isAbort, messageOf } from '../../../kernel/index.js'
import type { Verdict } from '../../../verification/index.js'
import type { Serving } from '../subnet/index.js'
import type { RoundResult } from './result.js'
import { isReady, type RoundPlan } from './round-plan.js'

/** What a round needs from elsewhere; start.ts puts it together. */
export interface RoundPorts {
  readonly clock: Clock
  /** Makes the requests of one round: the question is shared, seed and persona are each miner's own. */
  readonly prompts: (
    plan: RoundPlan,
    round: number,
    signal: AbortSignal,
  ) => Promise<(miner: Serving) => InferenceRequest>
  /** Signs ahead what does not depend on the request; while prompts are made there is time for it. */
  readonly signAhead?: (miner: Serving) => void
  /** Signs now and returns the call to be started later, so that no signing falls into anybody's time. */
  readonly prepare: (request: InferenceRequest, miner: Serving) => (signal: AbortSignal) => Promise<Answer>
  readonly verify: (
    engine: ReferenceEngine,
    request: InferenceRequest,
    answer: Answer,
    signal: AbortSignal,
  ) => Promise<Verdict>
  /** Longest stall of this loop since then, for answers that do not bring their own reader's. */
  readonly stallSince: (monotonicMs: number) => number
  /** A longer stall makes a result void. */
  readonly stallLimitMs: number
  readonly onResult: (result: RoundResult) => void
}

/** Signatures live for 8 s; the oldest of a round must reach its miner well before. */
const SIGNING_MS = 4000

/** Miners signed for between two turns of the event loop. */
const SIGNED_PER_TURN = 8

export interface RunningRound {
  /** maxTokens asked of every miner of this round. */
  readonly maxTokens: number
  readonly asks: readonly Ask[]
  /** Filled as verdicts fall. */
  readonly results: readonly RoundResult[]
  /** Settles when every answer is judged; never rejects. */
  readonly done: Promise<void>
}

export interface Ask {
  readonly hotkey: string
  readonly startedAt: number
  /** False once its answer is in and only the verdict is awaited. */
  readonly isStreaming: () => boolean
  /** Ends the stream as the miner's fault: it was too slow for too long. */
  cut(reason: string): void
  readonly done: Promise<void>
}

/**
 * Starts one round: prompt, all signatures, then all miners at once. Answers are judged as soon as the last one of the
 * round is in, or at `judgeAt`, so that checking costs nobody time; later ones are judged one by one.
 */
export async function startRound(
  plan: RoundPlan,
  round: number,
  block: number,
  ports: RoundPorts,
  judgeAt: Promise<void>,
  signal: AbortSignal,
): Promise<RunningRound> {
  const [requestFor] = await Promise.all([ports.prompts(plan, round, signal), signAhead(plan.miners, ports)])
  // Rewriting the question was a call, too: if the engine is gone by now, nobody could check the answers.
  if (!isReady(plan.engine)) throw new Error(plan.engine.unreadyReason ?? 'the engine is not ready')
  const signedAt = ports.clock.monotonic()
  const prepared = await prepareAll(plan.miners, requestFor, ports)
  // Honest miners refuse stale signatures, and would have failed.
  if (ports.clock.monotonic() - signedAt > SIGNING_MS)
    throw new Error('this process stood still between signing and asking: the signatures are too old')
  const maxTokens = Math.max(0, ...prepared.map(({ request }) => request.maxTokens))
  // One listener for all: a signal derived for each miner costs more the more there are.
  const calls: AbortController[] = []
  const stopAll = () => {
    for (const call of calls) call.abort(signal.reason)
  }
  signal.addEventListener('abort', stopAll, { once: true })
  const started = prepared.map(({ miner, request, call }) => {
    const own = new AbortController()
    calls.push(own)
    return { miner, request, ...startCall(call, ports, own) }
  })
  if (signal.aborted) stopAll()
  const allIn = Promise.allSettled(started.map(({ answer }) => answer)).then(() =>
    signal.removeEventListener('abort', stopAll),
  )
  const mayJudge = Promise.race([allIn, judgeAt])
  const results: RoundResult[] = []
  const asks = started.map(({ miner, request, answer, startedAt, isStreaming, cut, cutReason }): Ask => {
    const judge = async () => {
      const received = await answer
      await mayJudge
      const stallMs = received.stallMs
      const verdict = cutReason() ?? (await judgeAnswer(plan.engine, request, received, ports, signal))
      const at = ports.clock.now()
      const result = { round, block, at, miner, request, answer: received.answer, verdict, stallMs }
      results.push(result)
      ports.onResult(result)
    }
    return { hotkey: miner.hotkey, startedAt, isStreaming, cut, done: judge() }
  })
  return { maxTokens, asks, results, done: Promise.allSettled(asks.map(({ done }) => done)).then(() => {}) }
}

async function signAhead(miners: readonly Serving[], ports: RoundPorts): Promise<void> {
  if (!ports.signAhead) return
  for (const [index, miner] of miners.entries()) {
    if (index % SIGNED_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    ports.signAhead(miner)
  }
}

/** Signing blocks the loop that other answers are timed on, so it breathes between a few miners. */
async function prepareAll(
  miners: readonly Serving[],
  requestFor: (miner: Serving) => InferenceRequest,
  ports: RoundPorts,
) {
  const prepared: { miner: Serving; request: InferenceRequest; call: ReturnType<RoundPorts['prepare']> }[] =
    []
  for (const [index, miner] of miners.entries()) {
    if (index % SIGNED_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
    const request = requestFor(miner)
    prepared.push({ miner, request, call: ports.prepare(request, miner) })
  }
  return prepared
}

interface Received {
  readonly answer: Answer
  readonly stallMs: number
}

function startCall(call: (signal: AbortSignal) => Promise<Answer>, ports: RoundPorts, own: AbortController) {
  const startedAt = ports.clock.monotonic()
  let verdict: Verdict | undefined
  let isStreaming = true
  const answer: Promise<Received> = call(own.signal).then((received) => {
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
      own.abort()
    },
    cutReason: () => verdict,
  }
}

/** Only the validator's own faults are inconclusive: its shutdown, its stalled loop, its engine. */
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
      detail: `the event loop stood still for ${Math.round(stallMs)} ms while the answer streamed`,
    }
  try {
    return await ports.verify(engine, request, answer, signal)
  } catch (error) {
    const reason = isAbort(error) || signal.aborted ? 'aborted' : 'engine-unavailable'
    return { kind: 'inconclusive', reason, detail: messageOf(error) }
  }
}
