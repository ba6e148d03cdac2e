import { createServer } from 'node:net'
import { createGzip } from 'node:zlib'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type AskOptions, askMiner, type InferenceRequest } from '../../src/inference/index.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import {
  type Answering,
  chatChunk,
  DONE,
  event,
  startEvents,
  startStreamServer,
} from '../support/stream-server.js'

/** Each hostile stream is ended by its own rule, with bounded memory and without delaying other streams. */

const request: InferenceRequest = {
  endpoint: 'chat',
  model: 'org/m',
  temperature: 0,
  maxTokens: 64,
  messages: [{ role: 'user', content: 'hi' }],
}
const limits = { firstTokenMs: 3000, gapMs: 300, totalMs: 3000 }
let signer: Signer
const closers: (() => Promise<void>)[] = []

beforeAll(async () => {
  signer = await hotkeyOf(1)
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function ask(
  answering: Answering,
  rules: 'strict' | 'targon-4' = 'strict',
  options: Partial<AskOptions> = {},
) {
  const server = await startStreamServer(answering)
  closers.push(() => server.close())
  const answer = await askMiner(
    request,
    { url: server.url, hotkey: signer.address },
    { signer, clock: systemClock, limits, rules, ...options },
  )
  return { answer, server }
}

/** Writes for as long as the reader accepts data. @returns how many bytes were written */
function flood(response: Parameters<Answering>[0], piece: Buffer | string): { bytes: number } {
  const sent = { bytes: 0 }
  const size = Buffer.byteLength(piece)
  const more = () => {
    while (!response.destroyed) {
      sent.bytes += size
      if (!response.write(piece)) {
        response.once('drain', more)
        return
      }
    }
  }
  more()
  return sent
}

describe('hostile streams', () => {
  test('ends an endless line at what its tokens justify', async () => {
    let sent = { bytes: 0 }
    const { answer } = await ask((response) => {
      startEvents(response).write('data: "')
      sent = flood(response, Buffer.alloc(1 << 16, 0x61))
    })
    expect(answer.fault).toEqual({
      cause: 'STREAM_LIMIT',
      detail: 'the stream had a line of more than 32768 bytes',
    })
    expect(sent.bytes).toBeLessThan(16 << 20)
  })

  test('ends an event of many lines like one long line', async () => {
    const { answer } = await ask((response) => {
      startEvents(response)
      flood(response, `data: ${'a'.repeat(1000)}\n`.repeat(60))
    })
    expect(answer.fault).toMatchObject({ cause: 'STREAM_LIMIT' })
    expect(answer.fault?.detail).toMatch(/event of more than/)
  })

  test('ends a million small events at max_tokens + 64', async () => {
    const { answer } = await ask((response) => {
      startEvents(response)
      flood(response, event(chatChunk('a', 1)))
    })
    expect(answer.fault).toEqual({ cause: 'STREAM_LIMIT', detail: 'the stream had more than 128 events' })
    expect(answer.tokens.length).toBeLessThanOrEqual(128)
  })

  test.each(['strict', 'targon-4'] as const)(
    'ends lists that claim a million tokens at max_tokens + 64: %s',
    async (rules) => {
      const zeros = `[${'0,'.repeat(15_000)}0]`
      const line = `data: {"choices":[{"index":0,"delta":{},"logprobs":{"content":${zeros}}}]}\n\n`
      const { answer } = await ask((response) => {
        startEvents(response).write(event(chatChunk('a', 1)))
        flood(response, line)
      }, rules)
      expect(answer.fault).toEqual({
        cause: 'STREAM_LIMIT',
        detail: 'the stream had more tokens than requested',
      })
      expect(answer.tokens).toHaveLength(1)
    },
  )

  test.each([
    ['lists', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['objects', `${'{"a":'.repeat(33)}0${'}'.repeat(33)}`],
    ['lists that never end', '['.repeat(30_000)],
  ])('ends an event of nested %s before it is parsed', async (_, data) => {
    const { answer } = await ask((response) => startEvents(response).end(`data: ${data}\n\n`))
    expect(answer.fault).toEqual({
      cause: 'STREAM_LIMIT',
      detail: 'the stream had an event nested deeper than 32',
    })
  })

  test('reads brackets inside of text, and fields of many levels', async () => {
    const text = '["{[\\"'.repeat(40)
    const levels = JSON.parse(`${'['.repeat(28)}${']'.repeat(28)}`)
    const chunk = { ...(chatChunk(text, 1) as object), extra: { levels } }
    const { answer } = await ask((response) => startEvents(response).end(event(chunk) + DONE))
    expect(answer).toMatchObject({ fault: undefined, text })
  })

  test('reads a chunk in which a server that lagged merged 60 tokens', async () => {
    const bytes = [...Buffer.from(' '.repeat(16))]
    const content = Array.from({ length: 60 }, (_, id) => {
      const token = { token: `token_id:${128_000 + id}`, logprob: -0.123456789012345, bytes }
      return { ...token, top_logprobs: [token] }
    })
    const merged = { choices: [{ index: 0, delta: { content: ' '.repeat(960) }, logprobs: { content } }] }
    const { answer } = await ask((response) => startEvents(response).end(event(merged) + DONE))
    expect(answer).toMatchObject({ fault: undefined })
    expect(answer.tokens).toHaveLength(60)
  })

  describe('the time to parse a stream', () => {
    const wide = { firstTokenMs: 1e9, gapMs: 1e9, totalMs: 1e9, connectMs: 1e9 }
    /** Every look at the clock is `ms` later, as if each event took that long. */
    const slow = (ms: number): Clock => {
      let now = 0
      const monotonic = () => {
        now += ms
        return now
      }
      return { ...systemClock, monotonic }
    }
    const parse = async (events: number, padding: number, ms: number) => {
      const text = Array.from({ length: events }, (_, n) =>
        event({ ...(chatChunk('a', n) as object), padding: 'x'.repeat(padding) }),
      ).join('')
      const send: Answering = (response) => startEvents(response).end(text + DONE)
      return (await ask(send, 'strict', { clock: slow(ms), limits: wide, burst: null })).answer
    }

    test('is bounded', async () => {
      expect((await parse(60, 30_000, 10)).fault).toEqual({
        cause: 'STREAM_LIMIT',
        detail: expect.stringMatching(/^the stream took more than \d+ ms to parse$/),
      })
    })

    test('includes no more of a pause than its bytes can explain', async () => {
      expect((await parse(30, 0, 1000)).fault).toBeUndefined()
    })

    test('never ends an honest stream on a machine that is busy all the time', async () => {
      const answer = await parse(request.maxTokens, 200, 8)
      expect(answer.fault).toBeUndefined()
      expect(answer.tokens).toHaveLength(request.maxTokens)
    })
  })

  test('ends an endless run of comments without an event', async () => {
    const { answer } = await ask((response) => {
      startEvents(response)
      flood(response, ':\n'.repeat(1000))
    })
    expect(answer.fault?.detail).toMatch(/lines$/)
  })

  test('a stream of fat events is cut at 4 MiB', async () => {
    const fat = { ...(chatChunk('a', 1) as object), padding: 'x'.repeat(30_000) }
    const { answer } = await ask((response) => {
      startEvents(response)
      flood(response, `: ${'x'.repeat(30_000)}\n${event(fat)}`)
    })
    expect(answer.fault).toEqual({ cause: 'STREAM_LIMIT', detail: 'the stream had more than 4194304 bytes' })
  })

  test('rejects a compressed body without decoding it', async () => {
    const { answer } = await ask((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
      const gzip = createGzip({ level: 9 })
      gzip.pipe(response)
      for (let n = 0; n < 64; n++) gzip.write(Buffer.alloc(1 << 20, 0x20))
      gzip.end()
    })
    expect(answer.fault).toEqual({ cause: 'ENCODING', detail: 'content-encoding gzip' })
  })

  test.each([301, 302, 303, 307, 308])('does not follow a redirect (%i)', async (status) => {
    const inner = await startStreamServer((response) => response.end('secret'))
    closers.push(() => inner.close())
    const { answer } = await ask((response) => {
      response.writeHead(status, { location: `${inner.url}/latest/meta-data` }).end()
    })
    expect(answer.fault).toEqual({ cause: 'REDIRECT', detail: `answered ${status}` })
    expect(inner.received).toHaveLength(0)
  })

  test('ends a slow stream after totalMs', async () => {
    const { answer } = await ask((response) => {
      startEvents(response)
      const timer = setInterval(() => response.write(event(chatChunk('a', 1))), 100)
      response.on('close', () => clearInterval(timer))
    })
    expect(answer.fault).toEqual({
      cause: 'TIMEOUT',
      detail: 'not finished within 3000 ms',
      timed: 'deadline',
    })
  })

  test('ends a stream of single bytes without an event after firstTokenMs', async () => {
    const { answer } = await ask((response) => {
      startEvents(response)
      const timer = setInterval(() => response.write('d'), 5)
      response.on('close', () => clearInterval(timer))
    })
    expect(answer.fault).toMatchObject({ cause: 'TIMEOUT' })
  })

  test('fails invalid UTF-8 instead of decoding replacement characters', async () => {
    const { answer } = await ask((response) => {
      startEvents(response)
      response.end(Buffer.concat([Buffer.from('data: "'), Buffer.of(0xff, 0xfe), Buffer.from('"\n\n')]))
    })
    expect(answer.fault).toEqual({ cause: 'BAD_STREAM', detail: 'the stream is not UTF-8' })
  })

  test.each([
    ['half an object', '{"choices": [', 'a chunk is not JSON'],
    [
      'NaN as a logprob',
      '{"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{"logprob":NaN}]}}]}',
      'a chunk is not JSON',
    ],
    ['no choices', '{"id":1}', 'a chunk has no choices'],
    ['null delta', '{"choices":[{"delta":null}]}', 'a choice has no delta'],
    ['a list', '[]', 'a chunk is not an object'],
    ['two choices', '{"choices":[{"delta":{}},{"delta":{}}]}', 'a chunk has more than one choice'],
    [
      'text that is no text',
      '{"choices":[{"delta":{"content":{"a":1}}}]}',
      'the text of a chunk is not a string',
    ],
    [
      'an error of the server',
      '{"error":{"message":"out of memory"}}',
      'the server reported "out of memory"',
    ],
  ])('fails %s with a reason', async (_, data, detail) => {
    const { answer } = await ask((response) => startEvents(response).end(`data: ${data}\n\n`))
    expect(answer.fault).toEqual({ cause: 'BAD_STREAM', detail })
  })

  test('keeps the tokens before a connection reset, with a speed of 0', async () => {
    const { answer } = await ask((response) => {
      startEvents(response).write(event(chatChunk('a', 1)), () => {
        setTimeout(() => response.socket?.resetAndDestroy(), 20)
      })
    })
    expect(answer).toMatchObject({ fault: { cause: 'BAD_STREAM' }, tokensPerSecond: 0 })
    expect(answer.tokens).toHaveLength(1)
  })

  test.each([404, 429, 500])(
    'keeps the sentence of an error response (%i) and does not retry',
    async (status) => {
      const { answer, server } = await ask((response) => {
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end('{"detail":"Stake below minimum"}')
      })
      expect(answer).toMatchObject({
        status,
        fault: { cause: 'BAD_STREAM', detail: `answered ${status}: Stake below minimum` },
      })
      expect(server.received).toHaveLength(1)
    },
  )

  test('reads no more of an endless error response than its text', async () => {
    const { answer } = await ask((response) => {
      response.writeHead(500)
      flood(response, 'x'.repeat(1 << 16))
    })
    expect(answer.fault?.detail).toHaveLength('answered 500: '.length + 300)
  })

  test.each([
    ['extensions of a chunk', 'transfer-encoding: chunked\r\n\r\n1;', 'x'.repeat(1 << 16), 'BAD_STREAM'],
    ['interim responses', undefined, 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000), 'STREAM_LIMIT'],
    [
      'trailers',
      'transfer-encoding: chunked\r\n\r\n0\r\n',
      `x: ${'y'.repeat(1000)}\r\n`.repeat(60),
      'BAD_STREAM',
    ],
  ])('bounds bytes outside the stream: %s', async (_, head, piece, cause) => {
    let sentBytes = 0
    const server = createServer((socket) => {
      socket.on('error', () => {}).resume()
      if (head !== undefined) socket.write(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n${head}`)
      const more = () => {
        while (!socket.destroyed) {
          sentBytes += piece.length
          if (!socket.write(piece)) return void socket.once('drain', more)
        }
      }
      more()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => new Promise((resolve) => server.close(() => resolve())))
    const { port } = server.address() as { port: number }
    const target = { url: `http://127.0.0.1:${port}`, hotkey: signer.address }
    const answer = await askMiner(request, target, { signer, clock: systemClock, limits })
    expect(answer.fault).toMatchObject({ cause })
    expect(sentBytes).toBeLessThan(40 << 20)
  })

  test('rejects a response head of many kilobytes', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {}).resume()
      socket.write('HTTP/1.1 200 OK\r\n')
      for (let n = 0; n < 400; n++) socket.write(`x-${n}: ${'y'.repeat(100)}\r\n`)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closers.push(() => new Promise((resolve) => server.close(() => resolve())))
    const { port } = server.address() as { port: number }
    const answer = await askMiner(
      request,
      { url: `http://127.0.0.1:${port}`, hotkey: signer.address },
      { signer, clock: systemClock, limits },
    )
    expect(answer.fault).toMatchObject({ cause: 'BAD_STREAM' })
  })

  test('fails at once when the port is closed', async () => {
    const server = await startStreamServer(() => {})
    await server.close()
    const target = { url: server.url, hotkey: signer.address }
    const answer = await askMiner(request, target, { signer, clock: systemClock, limits })
    expect(answer).toMatchObject({ status: 0, fault: { cause: 'BAD_STREAM' } })
  })

  test('fails JSON instead of an event stream', async () => {
    const { answer } = await ask((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}')
    })
    expect(answer.fault).toMatchObject({ cause: 'BAD_STREAM' })
  })
})
