import { createAnswerReader } from '../../src/inference/answer-reader.js'
import { parseChunkJson } from '../../src/inference/chunk-json.js'
import { EventStream } from '../../src/inference/event-stream.js'
import {
  type Answer,
  createAskThread,
  createMinerAgent,
  DEFAULT_LIMITS,
  type MinerTarget,
  type PreparedRequest,
  prepareRequest,
  sendPrepared,
} from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'
import { chatChunk, event } from '../../test/support/stream-server.js'
import { readTruth, startStreamUpstream } from '../../test/support/stream-upstream.js'
import { openBareReaders } from '../reader/bare-sockets.js'
import { type Bench, median, type Row } from '../row.js'

const ROUNDS = 5
const CHUNKS = 20_000
const PIECE_BYTES = 16_384

/** The bytes of a long answer, in pieces of a socket's size. */
function makePieces(): Buffer[] {
  const bytes = Buffer.from(
    Array.from({ length: CHUNKS }, (_, n) => event(chatChunk(`token ${n} `, n))).join(''),
  )
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) pieces.push(bytes.subarray(at, at + PIECE_BYTES))
  return pieces
}

/** The minimum of any reader: find the lines and parse the JSON. */
function readBare(pieces: readonly Buffer[]): number {
  let rest = ''
  let events = 0
  for (const piece of pieces) {
    const lines = (rest + piece.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue
      JSON.parse(line.slice(6))
      events++
    }
  }
  return events
}

function readGuarded(pieces: readonly Buffer[]): number {
  const stream = new EventStream({ ...DEFAULT_LIMITS, streamBytes: 1 << 30, events: CHUNKS + 64 })
  const reader = createAnswerReader({
    endpoint: 'chat',
    maxTokens: CHUNKS,
    tokenLimit: CHUNKS,
    rules: 'strict',
    burst: undefined,
  })
  let atMs = 0
  for (const piece of pieces)
    for (const data of stream.push(piece)) if (data !== undefined) reader.accept(atMs++, parseChunkJson(data))
  return reader.finish(0, atMs, undefined).tokens.length
}

function cpuMicrosecondsPerChunk(
  read: (pieces: readonly Buffer[]) => number,
  pieces: readonly Buffer[],
): number {
  const before = process.cpuUsage()
  if (read(pieces) !== CHUNKS) throw new Error('chunks are missing')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CHUNKS
}

type Send = (prepared: PreparedRequest) => Promise<Answer>

interface Errors {
  /** Per stream, the milliseconds by which the measured total exceeds the sender's timestamps, ascending. */
  readonly ours: readonly number[]
  /** The same for bare sockets on an idle thread, in rounds between ours. */
  readonly bare: readonly number[]
}

async function measureErrors(
  streams: number,
  send: Send,
  meanwhile: () => () => void = () => () => {},
): Promise<Errors> {
  const upstream = await startStreamUpstream()
  const signer = await hotkeyOf(1)
  const target = { url: upstream.url, hotkey: signer.address }
  const request = { endpoint: 'chat', model: 'even', temperature: 0, maxTokens: 500, messages: [] } as const
  const bareReaders = await openBareReaders(upstream.url, streams)
  const ours: number[] = []
  const bare: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const prepared = Array.from({ length: streams }, () =>
      prepareRequest(request, target, { signer, clock: systemClock }),
    )
    const errors = await bareReaders.send(prepared[0]?.body ?? new Uint8Array())
    const stop = meanwhile()
    const answers = await Promise.all(prepared.map(send))
    stop()
    // the first round is a warm-up
    if (round === 0) continue
    bare.push(...errors)
    for (const answer of answers) ours.push(answer.timing.totalMs - readTruth(answer.text))
  }
  bareReaders.close()
  await upstream.close()
  const ascending = (left: number, right: number) => left - right
  return { ours: ours.sort(ascending), bare: bare.sort(ascending) }
}

/** Keeps this thread busy for 50 ms of every 150, as chain decoding and verdicts do. */
function keepBusy(): () => void {
  const timer = setInterval(() => {
    const until = performance.now() + 50
    while (performance.now() < until) Math.sqrt(until)
  }, 150)
  return () => clearInterval(timer)
}

const FLOODS = ['endless-line', 'many-events', 'fat-events'] as const

/** Queries a hostile miner again as soon as its answer was cut off; requests are signed in advance, as in a round. */
function keepFlooded(send: Send, target: MinerTarget): () => void {
  let isStopped = false
  const flood = async () => {
    const signer = await hotkeyOf(1)
    for (let turn = 0; !isStopped; turn++) {
      const model = FLOODS[turn % FLOODS.length] ?? 'many-events'
      const request = { endpoint: 'chat', model, temperature: 0, maxTokens: 500, messages: [] } as const
      await send(prepareRequest(request, target, { signer, clock: systemClock }))
    }
  }
  void flood()
  return () => {
    isStopped = true
  }
}

/** Our own error is what exceeds the error of bare sockets: a machine that stalls delays both. */
function errorRow(name: string, { ours, bare }: Errors, firstClassMs: number): Row {
  const [p99, bareP99] = [quantile(ours, 0.99), quantile(bare, 0.99)]
  const own = Math.max(0, p99 - bareP99)
  const medians = [ours, bare].map((errors) => quantile(errors, 0.5).toFixed(2)).join(', bare ')
  return {
    name: `our own error in the measured total, ${name}, p99 ${p99.toFixed(1)} (median ${medians})`,
    value: own,
    unit: 'ms',
    ratio: { to: `bare sockets’ ${bareP99.toFixed(1)} ms`, value: p99 / bareP99 },
    goal: {
      must: '≤ 13 ms',
      firstClass: `≤ ${firstClassMs} ms`,
      reached: own <= firstClassMs ? 'first class' : own <= 13 ? 'must' : 'missed',
    },
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const bench: Bench = {
  name: 'reader',
  summary: 'the guarded answer reader: cost per chunk and error of the measured times',
  async run(): Promise<Row[]> {
    const pieces = makePieces()
    const costs = Array.from({ length: ROUNDS + 1 }, () => ({
      bare: cpuMicrosecondsPerChunk(readBare, pieces),
      guarded: cpuMicrosecondsPerChunk(readGuarded, pieces),
    })).slice(1)
    const guarded = median(costs.map((cost) => cost.guarded))
    const rows: Row[] = [
      {
        name: 'guarded reader, per chunk',
        value: guarded,
        unit: 'CPU µs',
        ratio: {
          to: 'finding lines and parsing JSON',
          value: median(costs.map((cost) => cost.guarded / cost.bare)),
        },
      },
      { name: 'guarded reader', value: 1e6 / guarded, unit: 'events/s per core' },
    ]
    const dispatcher = createMinerAgent()
    const thread = createAskThread(console)
    await thread.ready()
    const inline: Send = (prepared) => sendPrepared(prepared, { clock: systemClock, dispatcher })
    const onThread: Send = (prepared) => thread.send(prepared)
    for (const streams of [37, 256]) {
      rows.push(errorRow(`${streams} streams`, await measureErrors(streams, inline), 2))
      rows.push(errorRow(`${streams} streams on a thread`, await measureErrors(streams, onThread), 2))
    }
    const busy = await measureErrors(256, onThread, keepBusy)
    rows.push(errorRow('256 streams on a thread, busy main thread', busy, 3))
    const flooder = await startStreamUpstream()
    const target = { url: flooder.url, hotkey: (await hotkeyOf(1)).address }
    for (const streams of [37, 256]) {
      const flooded = await measureErrors(streams, onThread, () => keepFlooded(onThread, target))
      rows.push(errorRow(`${streams} streams on a thread, next to a flooding one`, flooded, 2))
    }
    await flooder.close()
    rows.push(errorRow('37 streams, busy main thread', await measureErrors(37, inline, keepBusy), 3))
    rows.push(
      errorRow('37 streams on a thread, busy main thread', await measureErrors(37, onThread, keepBusy), 3),
    )
    await thread.close()
    await dispatcher.destroy()
    return rows
  },
}
