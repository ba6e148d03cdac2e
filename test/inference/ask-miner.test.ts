import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { verifyRequest } from '../../src/epistula/index.js'
import { type AskOptions, askMiner, type InferenceRequest } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { ManualClock } from '../support/manual-clock.js'
import {
  type Answering,
  chatChunk,
  completionChunk,
  DONE,
  event,
  type StreamServer,
  startEvents,
  startStreamServer,
} from '../support/stream-server.js'

const request: InferenceRequest = {
  endpoint: 'chat',
  model: 'org/m',
  seed: 12_345,
  temperature: 0.25,
  maxTokens: 100,
  messages: [{ role: 'user', content: 'hi' }],
}
let signer: Signer
let miner: Signer
let server: StreamServer

beforeAll(async () => {
  signer = await hotkeyOf(1)
  miner = await hotkeyOf(2)
})
afterEach(() => server.close())

async function ask(answering: Answering, options: Partial<AskOptions> = {}, what = request) {
  server = await startStreamServer(answering)
  return askMiner(
    what,
    { url: server.url, hotkey: miner.address },
    { signer, clock: systemClock, ...options },
  )
}

function answerThree(response: Parameters<Answering>[0]) {
  startEvents(response)
  response.write(event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }))
  response.write(
    event(chatChunk('Hel', 1)) + event(chatChunk('lo', 2)) + event(chatChunk('', 3, -0.1, 'stop')),
  )
  response.end(event({ choices: [], usage: { total_tokens: 5 } }) + DONE)
}

describe('askMiner', () => {
  test('sends the signed body with the fields of 4.4.1 and requests no encoding', async () => {
    await ask(answerThree)
    const [received] = server.received
    expect(received).toMatchObject({ method: 'POST', path: '/v1/chat/completions' })
    expect(received?.body.toString()).toBe(
      '{"seed":12345,"max_tokens":100,"temperature":0.25,"model":"org/m","stream":true,"logprobs":true,' +
        '"messages":[{"role":"user","content":"hi"}],"top_p":1,"top_k":-1,"min_p":0,"presence_penalty":0,' +
        '"frequency_penalty":0,"repetition_penalty":1}',
    )
    expect(received?.headers).toMatchObject({ 'accept-encoding': 'identity', 'x-targon-model': 'org/m' })
    const headers = received?.distinct ?? {}
    const checked = verifyRequest({
      headers,
      body: received?.body ?? Buffer.of(),
      nowMs: Date.now(),
      signedFor: miner.address,
    })
    expect(checked).toMatchObject({ ok: true, signedBy: signer.address })
  })

  test('reads every form of a legal event stream: a mark, line ends of CR, a first chunk without choices', async () => {
    const text = [
      { choices: [], prompt_filter_results: [] },
      { choices: [{ index: 0, delta: { reasoning_content: 'hm ' }, logprobs: null }] },
      chatChunk('a', 1, -0.5, 'stop'),
    ].map((chunk) => `\r: comment\rdata: ${JSON.stringify(chunk)}\r\r`)
    const answer = await ask((response) =>
      startEvents(response).end(`\uFEFF${text.join('')}data: [DONE]\r\r`),
    )
    expect(answer).toMatchObject({ fault: undefined, text: 'hm a', finishReason: 'stop' })
    expect(answer.tokens).toHaveLength(2)
  })

  test('reads tokens, text and finish reason, and ignores role and usage chunks', async () => {
    const answer = await ask(answerThree)
    expect(answer).toMatchObject({
      text: 'Hello',
      finishReason: 'stop',
      status: 200,
      fault: undefined,
      chunks: 3,
      lostTokens: false,
    })
    expect(answer.tokens.map((token) => token.tokenId)).toEqual([1, 2, 3])
    expect(answer.tokensPerSecond).toBeCloseTo((3 / answer.timing.totalMs) * 1000, 6)
    expect(answer.timing.totalMs).toBeGreaterThan(0)
  })

  test('sends completions with a prompt and reads their chunks', async () => {
    const answer = await ask(
      (response) => {
        startEvents(response)
        response.write(event(completionChunk('a', 7, -1)))
        response.end(event(completionChunk('b', 8, -2, 'length')) + DONE)
      },
      {},
      { endpoint: 'completion', model: 'org/m', temperature: 0, maxTokens: 5, prompt: 'Once' },
    )
    expect(server.received[0]?.path).toBe('/v1/completions')
    expect(JSON.parse(server.received[0]?.body.toString() ?? '')).toEqual({
      max_tokens: 5,
      temperature: 0,
      model: 'org/m',
      stream: true,
      logprobs: true,
      prompt: 'Once',
      top_p: 1,
      top_k: -1,
      min_p: 0,
      presence_penalty: 0,
      frequency_penalty: 0,
      repetition_penalty: 1,
    })
    expect(answer.tokens).toEqual([
      { text: 'a', tokenId: 7, logprob: -1 },
      { text: 'b', tokenId: 8, logprob: -2 },
    ])
  })

  test('calls onText while the answer streams', async () => {
    const seen: string[] = []
    await ask(answerThree, { onText: (text) => seen.push(text) })
    expect(seen.join('')).toBe('Hello')
  })

  test('rejects with an error thrown by onText instead of blaming the miner', async () => {
    const asked = ask(answerThree, {
      onText: () => {
        throw new Error('terminal closed')
      },
    })
    await expect(asked).rejects.toThrow('terminal closed')
  })

  test('measures from the moment the request is written, not from the call', async () => {
    let written = 0
    const onSend = () => {
      written = performance.now()
    }
    subscribe('undici:client:sendHeaders', onSend)
    try {
      const before = performance.now()
      const asked = ask(answerThree)
      // Keeps this thread busy between the call and the connection.
      while (performance.now() - before < 150) Math.sqrt(before)
      const answer = await asked
      const sinceWritten = performance.now() - written
      expect(written - before).toBeGreaterThanOrEqual(100)
      expect(answer.timing.totalMs).toBeLessThanOrEqual(sinceWritten + 5)
    } finally {
      unsubscribe('undici:client:sendHeaders', onSend)
    }
  })

  test('ends the stream with the fault `aborted` when the signal aborts', async () => {
    const stopping = new AbortController()
    const answer = await ask(
      (response) => {
        startEvents(response).write(event(chatChunk('a', 1)))
      },
      { signal: stopping.signal, onText: () => stopping.abort() },
    )
    expect(answer).toMatchObject({ fault: { cause: 'aborted' }, tokensPerSecond: 0 })
    expect(answer.tokens).toHaveLength(1)
  })

  test('sends nothing when the signal is already aborted', async () => {
    const answer = await ask(answerThree, { signal: AbortSignal.abort() })
    expect(answer).toMatchObject({ fault: { cause: 'aborted' }, status: 0 })
    expect(server.received).toHaveLength(0)
  })
})

describe('deadlines', () => {
  const clock = new ManualClock()

  /** Advances the manual clock in steps until the promise settles. @returns the milliseconds passed */
  async function advanceUntil(asked: Promise<unknown>, stepMs: number): Promise<number> {
    let settled = false
    void asked.then(() => {
      settled = true
    })
    const startMs = clock.monotonic()
    while (!settled) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      await clock.advance(stepMs)
    }
    return clock.monotonic() - startMs
  }

  test('ends an answer without a first token after firstTokenMs', async () => {
    const asked = ask((response) => startEvents(response).write(': working on it\n\n'), {
      clock,
      limits: { connectMs: 1e9 },
    })
    await expect.poll(() => server?.received.length).toBe(1)
    expect(await advanceUntil(asked, 250)).toBeGreaterThanOrEqual(12_000)
    expect(await asked).toMatchObject({ fault: { cause: 'TIMEOUT', detail: 'no token within 12000 ms' } })
  })

  test('ends a stream that stalls between two tokens, even if comments keep arriving', async () => {
    const seen: string[] = []
    const asked = ask(
      (response) => {
        startEvents(response).write(event(chatChunk('a', 1)))
        const timer = setInterval(() => response.write(': alive\n\n'), 1)
        response.on('close', () => clearInterval(timer))
      },
      { clock, limits: { connectMs: 1e9, extraEvents: 1e6 }, onText: (text) => seen.push(text) },
    )
    await expect.poll(() => seen).toEqual(['a'])
    const passedMs = await advanceUntil(asked, 100)
    expect(passedMs).toBeGreaterThanOrEqual(5000)
    // Not at the later deadline of the first token, towards which the watch was sleeping.
    expect(passedMs).toBeLessThan(8000)
    expect(await asked).toMatchObject({ fault: { cause: 'BAD_STREAM', detail: 'no token for 5000 ms' } })
  })

  test('ends an endless slow stream after totalMs', async () => {
    const asked = ask(
      (response) => {
        startEvents(response)
        const timer = setInterval(() => response.write(event(chatChunk('a', 1))), 1)
        response.on('close', () => clearInterval(timer))
      },
      { clock, limits: { connectMs: 1e9, totalMs: 3000, extraEvents: 1e6 } },
    )
    await advanceUntil(asked, 50)
    expect(await asked).toMatchObject({ fault: { cause: 'TIMEOUT', detail: 'not finished within 3000 ms' } })
  })

  test('measures until [DONE] and drops a connection held open afterwards', async () => {
    const seen: string[] = []
    const asked = ask((response) => startEvents(response).write(event(chatChunk('a', 1)) + DONE), {
      clock,
      onText: (text) => seen.push(text),
    })
    await expect.poll(() => seen).toEqual(['a'])
    await advanceUntil(asked, 100)
    const answer = await asked
    expect(answer.fault).toBeUndefined()
    expect(answer.timing.totalMs).toBeLessThanOrEqual(200)
    await expect.poll(() => server.open).toBe(0)
  })
})
