import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Step } from '../generation/index.js'
import { type Answering, type AnswerReport, letOthersRun, type Sequence, usageOf } from './answering.js'
import type { EngineState } from './engine-state.js'
import { encodeJson } from './json.js'

interface Lane {
  readonly sequence: Sequence
  /** Tokens not sent yet. */
  pending: Step[]
  isFirst: boolean
  isDone: boolean
}

/** Sends the answer as server-sent events, each token when it is due. */
export async function sendEvents(
  answering: Answering,
  state: EngineState,
  response: ServerResponse,
): Promise<AnswerReport> {
  const { job, shape, pace, signal } = answering
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).flushHeaders()
  const lanes: Lane[] = answering.sequences.map((sequence) => ({
    sequence,
    pending: [],
    isFirst: true,
    isDone: false,
  }))
  if (state.behaviour.delivery === 'burst') await holdBack(lanes, answering, state)

  const head = { id: answering.id, object: shape.streamObject, created: answering.created, model: job.model }
  const send = (fields: object) => write(response, `data: ${encodeJson({ ...head, ...fields })}\n\n`, signal)
  let generated = 0
  const usage = () =>
    job.continuousUsage
      ? { usage: usageOf(job, generated, state) }
      : shape.hasNullUsage
        ? { usage: null }
        : {}

  const opening = shape.opening()
  for (let turn = 0; lanes.some((lane) => !lane.isDone); turn++) {
    if (state.behaviour.delivery !== 'burst') await pace.untilDue(turn, signal)
    if (turn === 0 && opening) await send({ choices: [opening], ...usage(), ...shape.chunkExtras() })
    for (const lane of lanes) {
      if (lane.isDone) continue
      const next = job.maxTokens > 0 ? lane.sequence.steps.next() : undefined
      const step = next?.done === false ? next.value : undefined
      if (step) {
        lane.pending.push(step)
        generated += 1
      }
      lane.isDone = !step || step.finish !== undefined
      if (!lane.isDone && lane.pending.length < state.tokensPerChunk) continue
      if (lane.pending.length === 0 && !(lane.isFirst && lane.sequence.echo)) continue
      const { index, echo } = lane.sequence
      const choice = shape.chunkChoice(index, lane.pending, lane.isFirst ? echo : undefined, lane.isFirst)
      lane.pending = []
      lane.isFirst = false
      await send({ choices: [choice], ...usage() })
    }
    if (turn % 32 === 31) await letOthersRun(signal)
  }
  if (job.includeUsage) await send({ choices: [], usage: usageOf(job, generated, state) })
  await write(response, 'data: [DONE]\n\n', signal)
  response.end()
  return { generatedTokens: generated, timeToFirstTokenMs: pace.dueMs(0) }
}

/** An engine without a set speed still needs a moment that a caller can tell from a stream. */
const SHORTEST_BURST_DELAY_MS = 300

/** Makes the whole answer and waits until its last token would be due. */
async function holdBack(
  lanes: readonly Lane[],
  { pace, signal }: Answering,
  state: EngineState,
): Promise<void> {
  let longest = 0
  for (const lane of lanes) {
    const all: Step[] = []
    for (let next = lane.sequence.steps.next(); !next.done; next = lane.sequence.steps.next())
      all.push(next.value)
    longest = Math.max(longest, all.length)
    Object.assign(lane, { sequence: { ...lane.sequence, steps: all.values() } })
  }
  const isUnpaced = state.pace.tokensPerSecond === undefined
  await pace.untilMs(Math.max(pace.dueMs(longest), isUnpaced ? SHORTEST_BURST_DELAY_MS : 0), signal)
}

async function write(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (!response.write(text)) await once(response, 'drain', { signal })
}
