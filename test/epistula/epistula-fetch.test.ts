import OpenAI from 'openai'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { epistulaFetch, verifyRequest } from '../../src/epistula/index.js'
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

let signer: Signer
let miner: Signer
let server: StreamServer

beforeAll(async () => {
  signer = await hotkeyOf(1)
  miner = await hotkeyOf(2)
})
afterEach(() => server.close())

const start = async (answering: Answering) => {
  server = await startStreamServer(answering)
  return epistulaFetch({ signer, signedFor: miner.address })
}

/** Whether the receiver would accept what arrived. */
function accepted(index = 0): boolean {
  const { distinct: headers, body } = server.received[index] ?? { distinct: {}, body: Buffer.of() }
  return verifyRequest({ headers, body, nowMs: Date.now(), signedFor: miner.address }).ok
}

describe('epistulaFetch', () => {
  test('lets an OpenAI client stream, and signs the bytes it sends', async () => {
    const signing = await start((response) =>
      startEvents(response).end(event(chatChunk('Hel', 1)) + event(chatChunk('lo', 2)) + DONE),
    )
    const client = new OpenAI({ apiKey: 'sn4', baseURL: `${server.url}/v1`, maxRetries: 0, fetch: signing })
    const stream = await client.chat.completions.create({
      model: 'org/m',
      messages: [{ role: 'user', content: 'Grüße' }],
      stream: true,
    })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe('Hello')
    expect(accepted()).toBe(true)
  })

  test.each([
    ['text', 'añb'],
    ['bytes', new TextEncoder().encode('abc')],
    ['a view into a larger buffer', new TextEncoder().encode('xxabcxx').subarray(2, 5)],
    ['a buffer', new TextEncoder().encode('abc').buffer],
    ['form parameters', new URLSearchParams({ a: '1 2' })],
    ['nothing', undefined],
  ])('signs %s as sent', async (_, body) => {
    const signing = await start((response) => response.end())
    await signing(server.url, body === undefined ? {} : { method: 'POST', body: body as string })
    expect(accepted()).toBe(true)
  })

  test('keeps method, headers and body of a Request object', async () => {
    const signing = await start((response) => response.end())
    await signing(
      new Request(`${server.url}/models`, { method: 'POST', body: '[]', headers: { 'x-own': '1' } }),
    )
    expect(server.received[0]).toMatchObject({ method: 'POST', path: '/models' })
    expect(server.received[0]?.headers['x-own']).toBe('1')
    expect(accepted()).toBe(true)
  })

  test('signs every call anew, so that a retry is not a replay', async () => {
    const signing = await start((response) => response.end())
    await signing(server.url)
    await signing(server.url)
    const uuids = server.received.map((received) => received.headers['epistula-uuid'])
    expect(new Set(uuids).size).toBe(2)
  })

  test('fails on a redirect instead of sending the signature elsewhere', async () => {
    const inner = await startStreamServer((response) => response.end())
    const signing = await start((response) => response.writeHead(307, { location: inner.url }).end())
    await expect(signing(server.url, { method: 'POST', body: 'x' })).rejects.toThrow()
    expect(inner.received).toHaveLength(0)
    await inner.close()
  })

  test('requests no compression', async () => {
    const signing = await start((response) => response.end())
    await signing(server.url, { headers: { 'accept-encoding': 'gzip' } })
    expect(server.received[0]?.headers['accept-encoding']).toBe('identity')
  })

  test('rejects a body of unknown bytes before sending anything', async () => {
    const signing = await start((response) => response.end())
    const form = new FormData()
    form.set('a', '1')
    await expect(signing(server.url, { method: 'POST', body: form })).rejects.toMatchObject({
      code: 'UNSIGNABLE_BODY',
      fault: 'usage',
    })
    expect(server.received).toHaveLength(0)
  })

  test('aborts the request with its signal', async () => {
    const signing = await start(() => {})
    const stopping = new AbortController()
    const pending = signing(server.url, { signal: stopping.signal })
    await expect.poll(() => server.received.length).toBe(1)
    stopping.abort()
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' })
  })
})
