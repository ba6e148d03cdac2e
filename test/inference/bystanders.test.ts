import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type AskThread, createAskThread, prepareRequest } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import {
  type Answering,
  chatChunk,
  DONE,
  event,
  type StreamServer,
  startEvents,
  startStreamServer,
} from '../support/stream-server.js'

/** No bytes of one miner change the answer or the times of another one. */

const BYSTANDERS = 12
const TOKENS = 20
const GAP_MS = 15
/** A longer stall of the reading thread voids the verdicts of a round. */
const STALL_LIMIT_MS = 50

let signer: Signer
let thread: AskThread
let honest: StreamServer

/** One token every 15 ms. */
const stream: Answering = (response) => {
  startEvents(response)
  let sent = 0
  const timer = setInterval(() => {
    if (++sent <= TOKENS) response.write(event(chatChunk('a', sent)))
    else response.end(DONE)
    if (sent > TOKENS) clearInterval(timer)
  }, GAP_MS)
  response.on('close', () => clearInterval(timer))
}

beforeAll(async () => {
  signer = await hotkeyOf(1)
  thread = createAskThread({ error: () => {} })
  await thread.ready()
  honest = await startStreamServer(stream)
})
afterAll(async () => {
  await Promise.all([thread.close(), honest.close()])
})

function ask(url: string): Promise<Answer> {
  const request = { endpoint: 'chat', model: 'org/m', temperature: 0, maxTokens: 1500, messages: [] } as const
  const prepared = prepareRequest(request, { url, hotkey: signer.address }, { signer, clock: systemClock })
  return thread.send(prepared, { limits: { firstTokenMs: 20_000, gapMs: 5000, totalMs: 30_000 } })
}

/** Asks honest miners while eight hostile ones send these pieces as fast as they are read. */
async function askBesides(pieces: readonly (string | Uint8Array)[]) {
  const hostile = await startStreamServer((response) => {
    startEvents(response)
    setTimeout(() => {
      for (const piece of pieces) response.write(piece)
      response.end()
    }, 4 * GAP_MS)
  })
  try {
    const bombers = Array.from({ length: 8 }, () => ask(hostile.url))
    const bystanders = await Promise.all(Array.from({ length: BYSTANDERS }, () => ask(honest.url)))
    return { bystanders, bombers: await Promise.all(bombers) }
  } finally {
    await hostile.close()
  }
}

function expectUnharmed(bystanders: readonly Answer[]): void {
  for (const { fault, tokens, status } of bystanders) {
    expect({ fault, status, tokens: tokens.length }).toEqual({
      fault: undefined,
      status: 200,
      tokens: TOKENS,
    })
  }
}

const LINE = 58_000
const MANY = Array.from({ length: 120 })

/** Objects of twenty fields, all with names of their own: the most expensive flat JSON per byte. */
function wideObjects(seed: number): string {
  let name = seed * 1_000_000
  const field = () => `"${(name++).toString(36)}":0`
  const object = () => `{${Array.from({ length: 20 }, field).join(',')}}`
  const parts: string[] = []
  for (let bytes = 0; bytes < LINE; bytes += 200) parts.push(object())
  return `data: {"choices":[],"usage":{"x":[${parts.join(',')}]}}\n\n`
}

/** Of the slowest event on this machine as busy as it is now: on an idle one two milliseconds. Read at once, 8 × 120 take seconds. */
function timeToParse(): number {
  const times = MANY.slice(0, 20).map((_, index) => {
    const text = wideObjects(1000 + index).slice(6)
    const startedMs = performance.now()
    JSON.parse(text)
    return performance.now() - startedMs
  })
  return times.sort((a, b) => a - b)[10] ?? 0
}

describe('bystanders of a hostile miner', () => {
  test.each([
    ['nested lists', MANY.map(() => `data: ${'['.repeat(LINE / 2)}${']'.repeat(LINE / 2)}\n\n`)],
    ['objects of many shapes', MANY.map((_, index) => wideObjects(index))],
    ['fifty thousand short lines', [':\n'.repeat(50_000)]],
    ['carriage returns', ['data\r'.repeat(50_000)]],
  ])(
    'are timed without a stall besides %s',
    async (_, pieces) => {
      const limitMs = Math.max(STALL_LIMIT_MS, 10 * timeToParse())
      const stalls: number[] = []
      // A busy machine stalls now and then; what a miner's bytes cause comes back every time.
      for (let turn = 0; turn < 10 && !stalls.some((ms) => ms < limitMs); turn++) {
        const { bystanders, bombers } = await askBesides(pieces)
        expectUnharmed(bystanders)
        for (const { fault } of bombers) expect(fault).toMatchObject({ cause: 'STREAM_LIMIT' })
        stalls.push(Math.max(...bystanders.map(({ stallMs = 0 }) => stallMs)))
      }
      expect(Math.min(...stalls)).toBeLessThan(limitMs)
    },
    60_000,
  )

  test('have the same answer besides any bytes', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.json({ maxDepth: 20 }).map((json) => `data: ${json}\n\n`),
      fc.constantFrom(
        'data: [DONE]\n\n',
        event(chatChunk('x', 1)),
        '\uFEFF',
        '\r',
        'data: {"choices":[]}\n\n',
      ),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (pieces) => {
        expectUnharmed((await askBesides(pieces)).bystanders)
      }),
      { numRuns: 8 },
    )
  }, 60_000)
})
