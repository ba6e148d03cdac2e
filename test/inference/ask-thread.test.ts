import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type AskThread,
  createAskThread,
  prepareRequest,
  type StreamProgress,
} from '../../src/inference/index.js'
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
import { readTruth, type StreamUpstream, startStreamUpstream } from '../support/stream-upstream.js'

let signer: Signer
let thread: AskThread
const createThread = () => createAskThread({ error: (facts: unknown) => errors.push(facts) })
let server: StreamServer | undefined
let upstream: StreamUpstream | undefined
const errors: unknown[] = []

beforeAll(async () => {
  signer = await hotkeyOf(1)
  thread = createThread()
  await thread.ready()
})
afterAll(() => thread.close())
afterEach(async () => {
  await Promise.all([server?.close(), upstream?.close()])
  server = undefined
  upstream = undefined
})

function prepare(url: string, model = 'even') {
  const request = { endpoint: 'chat', model, temperature: 0, maxTokens: 100, messages: [] } as const
  return prepareRequest(request, { url, hotkey: signer.address }, { signer, clock: systemClock })
}

async function open(answering: Answering): Promise<string> {
  server = await startStreamServer(answering)
  return server.url
}

describe('createAskThread', () => {
  test('returns the same answers as the main thread, with the stall of the reading thread', async () => {
    const url = await open((response) =>
      startEvents(response).end(event(chatChunk('a', 1, -0.1, 'stop')) + DONE),
    )
    const answers = await Promise.all([thread.send(prepare(url)), thread.send(prepare(url))])
    for (const answer of answers) {
      expect(answer).toMatchObject({ text: 'a', finishReason: 'stop', fault: undefined, status: 200 })
      expect(answer.tokens).toEqual([{ text: 'a', tokenId: 1, logprob: -0.1 }])
      expect(answer.stallMs).toBeGreaterThanOrEqual(0)
    }
    const sent = server?.received.map((received) => received.body.toString())
    expect(sent?.[0]).toBe(Buffer.from(prepare(url).body).toString())
  })

  test('applies the limits of a request', async () => {
    const url = await open((response) => startEvents(response).flushHeaders())
    const answer = await thread.send(prepare(url), { limits: { firstTokenMs: 100 } })
    expect(answer.fault).toEqual({ cause: 'TIMEOUT', detail: 'no token within 100 ms', timed: 'deadline' })
  })

  test('reports the progress of a stream about once a second', async () => {
    const url = await open((response) => {
      startEvents(response)
      let sent = 0
      const timer = setInterval(() => {
        response.write(event(chatChunk('a', ++sent)))
        if (sent < 30) return
        clearInterval(timer)
        response.end(DONE)
      }, 80)
    })
    const seen: StreamProgress[] = []
    await thread.send(prepare(url), { onProgress: (progress) => seen.push(progress) })
    expect(seen.length).toBeGreaterThanOrEqual(1)
    expect(seen.length).toBeLessThanOrEqual(3)
    for (const { tokens, streamedMs } of seen) {
      expect(streamedMs).toBeGreaterThanOrEqual(1000)
      expect((tokens / streamedMs) * 1000).toBeLessThan(16)
    }
  })

  test('forwards an abort to the stream', async () => {
    const stopping = new AbortController()
    const url = await open((response) => {
      startEvents(response).write(event(chatChunk('a', 1)))
      stopping.abort()
    })
    expect(await thread.send(prepare(url), { signal: stopping.signal })).toMatchObject({
      fault: { detail: 'the request was aborted' },
    })
    await expect.poll(() => server?.open).toBe(0)
    expect(await thread.send(prepare(url), { signal: stopping.signal })).toMatchObject({
      fault: { detail: 'the request was aborted' },
    })
  })

  test('resolves pending answers as aborted when it is closed', async () => {
    const url = await open((response) => startEvents(response).flushHeaders())
    const other = createThread()
    await other.ready()
    const asked = other.send(prepare(url))
    await expect.poll(() => server?.received.length).toBe(1)
    await other.close()
    expect(await asked).toMatchObject({ fault: { cause: 'aborted' }, tokens: [] })
    expect(errors).toEqual([])
  })

  test('measures times correctly while the main thread is busy for 400 ms', async () => {
    upstream = await startStreamUpstream()
    await thread.send(prepare(upstream.url))
    const errors: number[] = []
    // A machine that stalls is late once; times taken on the main thread would be late every time.
    for (let turn = 0; turn < 3; turn++) {
      const asked = thread.send(prepare(upstream.url))
      const busyUntil = performance.now() + 400
      while (performance.now() < busyUntil) Math.sqrt(busyUntil)
      const answer = await asked
      expect(answer.fault).toBeUndefined()
      errors.push(Math.abs(answer.timing.totalMs - readTruth(answer.text)))
    }
    expect(Math.min(...errors)).toBeLessThan(200)
  })
})
