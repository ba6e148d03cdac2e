import { systemClock } from '../../src/clock.js'
import { createAnswerReader } from '../../src/inference/answer-reader.js'
import { EventStream } from '../../src/inference/event-stream.js'
import { createMinerAgent, DEFAULT_LIMITS, prepareRequest, sendPrepared } from '../../src/inference/index.js'
import { hotkeyOf } from '../../test/support/hotkeys.js'
import { chatChunk, event } from '../../test/support/stream-server.js'
import { readTruth, startStreamUpstream } from '../../test/support/stream-upstream.js'
import { type Bench, median, type Row } from '../row.js'

const ROUNDS = 5
const CHUNKS = 20_000
const PIECE_BYTES = 16_384

/** The bytes of a long answer in pieces as a socket gives them. */
function makePieces(): Buffer[] {
  const bytes = Buffer.from(
    Array.from({ length: CHUNKS }, (_, n) => event(chatChunk(`token ${n} `, n))).join(''),
  )
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) pieces.push(bytes.subarray(at, at + PIECE_BYTES))
  return pieces
}

/** What no reader can do without: find the lines and parse the JSON. */
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
    rules: 'strict',
    burst: undefined,
  })
  let atMs = 0
  for (const piece of pieces) for (const data of stream.push(piece)) reader.accept(atMs++, JSON.parse(data))
  return reader.finish(0, atMs, undefined).tokens.length
}

function cpuMicrosecondsPerChunk(
  read: (pieces: readonly Buffer[]) => number,
  pieces: readonly Buffer[],
): number {
  const before = process.cpuUsage()
  if (read(pieces) !== CHUNKS) throw new Error('chunks were lost')
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CHUNKS
}

/** Milliseconds by which our total exceeds what the sender stamped, of every stream of a few rounds. */
async function measureErrors(streams: number): Promise<number[]> {
  const upstream = await startStreamUpstream()
  const signer = await hotkeyOf(1)
  const dispatcher = createMinerAgent()
  const target = { url: upstream.url, hotkey: signer.address }
  const errors: number[] = []
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const prepared = Array.from({ length: streams }, () =>
        prepareRequest(
          { endpoint: 'chat', model: 'even', temperature: 0, maxTokens: 500, messages: [] },
          target,
          { signer, clock: systemClock },
        ),
      )
      const answers = await Promise.all(
        prepared.map((one) => sendPrepared(one, { clock: systemClock, dispatcher })),
      )
      // The first round only warms up.
      if (round === 0) continue
      for (const answer of answers) errors.push(answer.timing.totalMs - readTruth(answer.text))
    }
  } finally {
    await dispatcher.destroy()
    await upstream.close()
  }
  return errors.sort((a, b) => a - b)
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const bench: Bench = {
  name: 'reader',
  summary: 'the guarded reader of answers: cost per chunk, and error of the times it measures',
  async run(): Promise<Row[]> {
    const pieces = makePieces()
    const costs = Array.from({ length: ROUNDS + 1 }, () => ({
      bare: cpuMicrosecondsPerChunk(readBare, pieces),
      guarded: cpuMicrosecondsPerChunk(readGuarded, pieces),
    })).slice(1)
    const guarded = median(costs.map((cost) => cost.guarded))
    const rows: Row[] = [
      {
        name: 'guarded reader, a chunk',
        value: guarded,
        unit: 'CPU µs',
        ratio: {
          to: 'finding lines and parsing JSON',
          value: median(costs.map((cost) => cost.guarded / cost.bare)),
        },
      },
      { name: 'guarded reader', value: 1e6 / guarded, unit: 'events/s of one core' },
    ]
    for (const streams of [37, 256]) {
      const errors = await measureErrors(streams)
      const p99 = quantile(errors, 0.99)
      rows.push({
        name: `error of the total, ${streams} streams, median`,
        value: quantile(errors, 0.5),
        unit: 'ms',
      })
      rows.push({
        name: `error of the total, ${streams} streams, p99`,
        value: p99,
        unit: 'ms',
        goal: {
          must: '≤ 13 ms',
          firstClass: '≤ 2 ms',
          reached: p99 <= 2 ? 'first class' : p99 <= 13 ? 'must' : 'missed',
        },
      })
    }
    return rows
  },
}
