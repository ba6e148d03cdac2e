import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { verifyRequest } from '../../src/epistula/index.js'
import { createMinerAgent, listModels, postModels } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import type { Signer } from '../../src/wallet/index.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { ManualClock } from '../support/manual-clock.js'
import { type Answering, type StreamServer, startStreamServer } from '../support/stream-server.js'

let signer: Signer
let miner: Signer
let server: StreamServer

beforeAll(async () => {
  signer = await hotkeyOf(1)
  miner = await hotkeyOf(2)
})
afterEach(() => server.close())

async function list(answering: Answering, clock = systemClock) {
  server = await startStreamServer(answering)
  return listModels({ url: server.url, hotkey: miner.address }, { signer, clock })
}

const json =
  (body: string): Answering =>
  (response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)

describe('listModels', () => {
  test('signs the empty body and reads the names', async () => {
    expect(await list(json('["org/a","org/b","org/a"]'))).toEqual({
      kind: 'models',
      models: ['org/a', 'org/b'],
    })
    const [received] = server.received
    expect(received).toMatchObject({ method: 'GET', path: '/models' })
    const headers = received?.distinct ?? {}
    expect(headers).not.toHaveProperty('x-targon-model')
    expect(
      verifyRequest({ headers, body: Buffer.of(), nowMs: Date.now(), signedFor: miner.address }),
    ).toMatchObject({ ok: true })
  })

  test.each([
    [
      'names with control characters or too long',
      JSON.stringify(['a\u001b[2J', 'x'.repeat(201), 'a b', 'org/ok', '']),
      ['org/ok'],
    ],
    ['entries that are not names', '["__proto__",1,null,{"a":1},["x"],"org/ok"]', ['__proto__', 'org/ok']],
    ['an empty list', '[]', []],
  ])('drops invalid entries: %s', async (_, body, models) => {
    expect(await list(json(body))).toEqual({ kind: 'models', models })
  })

  test.each([
    ['an object', '{"data":[]}', 'not a list of models'],
    ['nested lists', '['.repeat(200_000), 'not a list of models'],
    ['objects of many fields', `[{${'"a":0,'.repeat(3000)}"b":0}]`, 'not a list of models'],
    ['half of a list', '["org/a"', 'not a list of models'],
    ['513 names', JSON.stringify(Array.from({ length: 513 }, (_, n) => `org/${n}`)), 'not a list of models'],
    ['50 MB of names', JSON.stringify(['x'.repeat(50_000_000)]), 'answered more than 262144 bytes'],
  ])('fails for %s instead of returning an empty list', async (_, body, reason) => {
    const answer = await list(json(body))
    expect(answer).toEqual({
      kind: 'failed',
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    })
  })

  test('fails after 3 s in total when bytes arrive slowly', async () => {
    const clock = new ManualClock()
    const asked = list((response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(' '), 1)
      response.on('close', () => clearInterval(timer))
    }, clock)
    await expect.poll(() => server?.received.length).toBe(1)
    await clock.advance(3000)
    expect(await asked).toMatchObject({ kind: 'failed', reason: expect.stringContaining('3000 ms') })
    await expect.poll(() => server.open).toBe(0)
  })

  test('keeps status and sentence of a refusal, also when the connection breaks within it', async () => {
    const refused = await list((response) =>
      response.writeHead(401).end('{"detail":"Stake below minimum: 5\\u001b"}'),
    )
    expect(refused).toEqual({
      kind: 'failed',
      status: 401,
      reason: 'answered 401: Stake below minimum: 5\\u001b',
    })
    await server.close()
    const broken = await list((response) => {
      response.writeHead(503, { 'content-length': 1000 }).write('Bad Gateway', () => response.destroy())
    })
    expect(broken).toEqual({ kind: 'failed', status: 503, reason: 'answered 503: Bad Gateway' })
    await server.close()
    const endless = await list((response) => {
      response.writeHead(500).write('x'.repeat(1 << 20))
    })
    expect(endless).toMatchObject({ status: 500, reason: expect.stringMatching(/^answered 500: x{299}…$/) })
  })

  test('rejects redirects and encoded responses', async () => {
    const redirect = await list((response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    )
    expect(redirect).toEqual({ kind: 'failed', reason: 'answered 302' })
    await server.close()
    const encoded = await list((response) => response.writeHead(200, { 'content-encoding': 'br' }).end('[]'))
    expect(encoded).toMatchObject({ kind: 'failed' })
  })

  test('fails with a reason when the port is closed', async () => {
    server = await startStreamServer(() => {})
    await server.close()
    const answer = await listModels(
      { url: server.url, hotkey: miner.address },
      { signer, clock: systemClock },
    )
    expect(answer).toMatchObject({ kind: 'failed', reason: expect.stringContaining('ECONNREFUSED') })
    server = await startStreamServer(() => {})
  })

  test('rejects when the signal aborts', async () => {
    server = await startStreamServer(() => {})
    const stopping = new AbortController()
    const dispatcher = createMinerAgent()
    const asked = listModels(
      { url: server.url, hotkey: miner.address },
      { signer, clock: systemClock, signal: stopping.signal, dispatcher },
    )
    stopping.abort()
    await expect(asked).rejects.toThrow(/abort/i)
    await dispatcher.destroy()
  })
})

describe('postModels', () => {
  test('sends the bytes it signed and accepts any 200', async () => {
    server = await startStreamServer(json('""'))
    const target = { url: server.url, hotkey: miner.address }
    expect(await postModels(target, ['org/a', 'org/é'], { signer, clock: systemClock })).toBeUndefined()
    const [received] = server.received
    expect(received?.body.toString()).toBe('["org/a","org/é"]')
    expect(received?.headers['content-type']).toBe('application/json')
    const { distinct: headers, body } = received ?? { distinct: {}, body: Buffer.of() }
    expect(verifyRequest({ headers, body, nowMs: Date.now(), signedFor: miner.address })).toMatchObject({
      ok: true,
    })
  })

  test('returns the reason of an error response', async () => {
    server = await startStreamServer((response) => response.writeHead(401).end())
    const target = { url: server.url, hotkey: miner.address }
    expect(await postModels(target, [], { signer, clock: systemClock })).toBe('answered 401')
  })
})
