import type { ServerResponse } from 'node:http'
import type { Step } from '../generation/index.js'
import { type Answering, type AnswerReport, type Sequence, usageOf, yieldToEventLoop } from './answering.js'
import { ApiError, errorBody } from './api-error.js'
import type { EngineState } from './engine-state.js'
import { EventWriter } from './event-writer.js'

/** Tokens sent before the error event of the fault `error-in-stream`. */
const TOKENS_BEFORE_ERROR = 5

/** Without a set speed, a burst still waits long enough for a caller to tell it from a stream. */
const SHORTEST_BURST_DELAY_MS = 300

/** Sends the answer as server-sent events, each token when it is due. */
export async function sendEvents(
  answering: Answering,
  state: EngineState,
  response: ServerResponse,
): Promise<AnswerReport> {
  const { job, behaviour, shape, pace, signal } = answering
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).flushHeaders()
  const writer = new EventWriter(response, behaviour, signal)
  const head = { id: answering.id, object: shape.streamObject, created: answering.created, model: job.model }
  const tokensPerChunk = behaviour.tokensPerChunk ?? state.tokensPerChunk
  const lag = new SendingLag({ clock: state.clock, sendLagMs: state.sendLagMs, behaviour }, pace)
  let lanes = answering.sequences.map((sequence) => new Lane(sequence, job.maxTokens > 0))
  let generated = 0
  let paced = 0
  let isOpened = false
  const send = (choice: object | undefined, fields: object = {}) => {
    const usage = job.continuousUsage
      ? { usage: usageOf(job, generated, state) }
      : shape.hasNullUsage
        ? { usage: null }
        : {}
    return writer.send({ ...head, choices: choice ? [choice] : [], ...usage, ...fields })
  }
  const open = async () => {
    const opening = isOpened ? undefined : shape.opening()
    isOpened = true
    if (opening) await send(opening, shape.chunkExtras())
  }

  if (behaviour.delivery === 'burst') await generateWhole(lanes, answering, state)
  for (let turn = 1; lanes.length > 0; turn++) {
    for (const lane of lanes) lane.advance()
    const steps = lanes.flatMap((lane) => lane.latest ?? [])
    const extraDelayMs = Math.max(0, ...steps.map((step) => step.extraDelayMs ?? 0))
    if (extraDelayMs > 0) await state.clock.sleep(extraDelayMs, signal)
    if (steps.some((step) => !step.isFree)) {
      if (behaviour.delivery !== 'burst') await pace.untilDue(paced, signal)
      paced += 1
    }
    await open()
    const fewestTokens = lag.isBehind(paced) ? Number.POSITIVE_INFINITY : tokensPerChunk
    for (const lane of lanes) {
      if (lane.latest) generated += 1
      const chunk = lane.takeChunk(fewestTokens)
      if (!chunk) continue
      await send(shape.chunkChoice(lane.index, chunk.steps, chunk.echo, chunk.isFirst))
      lag.sent()
    }
    lanes = lanes.filter((lane) => !lane.isDone)
    if (state.fault === 'error-in-stream' && turn === TOKENS_BEFORE_ERROR) {
      await writer.send(errorBody(new ApiError(500, 'EngineCore encountered an issue.'), state.dialect))
      lanes = []
    } else if (turn % 32 === 0) await yieldToEventLoop(signal)
  }
  if (job.includeUsage) await send(undefined, { usage: usageOf(job, generated, state) })
  await writer.finish()
  return { generatedTokens: generated, timeToFirstTokenMs: pace.dueMs(0) }
}

/** Whether the part of a server that sends is behind the one that generates. */
class SendingLag {
  #readyAtMs = 0

  constructor(
    private readonly state: Pick<EngineState, 'clock' | 'behaviour' | 'sendLagMs'>,
    private readonly pace: Answering['pace'],
  ) {}

  /** @param next the token that comes next: if it is due already, it will share a chunk with the ones before it. */
  isBehind(next: number): boolean {
    const { clock, behaviour, sendLagMs } = this.state
    if (sendLagMs === undefined || behaviour.delivery === 'burst') return false
    return clock.monotonic() < this.#readyAtMs || this.pace.isDue(next)
  }

  sent(): void {
    this.#readyAtMs = this.state.clock.monotonic() + (this.state.sendLagMs ?? 0)
  }
}

/** One sequence being sent. */
class Lane {
  readonly #echo: Sequence['echo']
  readonly index: number
  steps: Iterator<Step, unknown>
  #pending: Step[] = []
  #isFirst = true
  /** The step generated this turn, if any. */
  latest: Step | undefined
  isDone = false

  constructor({ echo, index, steps }: Sequence, hasTokens: boolean) {
    this.#echo = echo
    this.index = index
    this.steps = hasTokens ? steps : [][Symbol.iterator]()
  }

  advance(): void {
    const next = this.steps.next()
    this.latest = next.done ? undefined : next.value
    if (this.latest) this.#pending.push(this.latest)
    this.isDone = this.latest === undefined || this.latest.finish !== undefined
  }

  /** What to send this turn; undefined until there are enough tokens for a chunk. */
  takeChunk(fewestTokens: number) {
    if (!this.isDone && this.#pending.length < fewestTokens) return undefined
    const echo = this.#isFirst ? this.#echo : undefined
    if (this.#pending.length === 0 && !echo) return undefined
    const chunk = { steps: this.#pending, echo, isFirst: this.#isFirst }
    this.#pending = []
    this.#isFirst = false
    return chunk
  }
}

/** Generates the whole answer and waits until its last token is due. */
async function generateWhole(
  lanes: readonly Lane[],
  { pace, signal }: Answering,
  state: EngineState,
): Promise<void> {
  let longest = 0
  for (const lane of lanes) {
    const all: Step[] = []
    for (let next = lane.steps.next(); !next.done; next = lane.steps.next()) all.push(next.value)
    longest = Math.max(longest, all.length)
    lane.steps = all.values()
  }
  const isUnpaced = state.pace.tokensPerSecond === undefined
  await pace.untilMs(Math.max(pace.dueMs(longest), isUnpaced ? SHORTEST_BURST_DELAY_MS : 0), signal)
}
