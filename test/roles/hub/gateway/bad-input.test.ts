import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { LimitReason } from '../../../../src/accounts/index.js'
import { type HubRig, startHubRig } from '../../../support/hub-rig.js'
import { startListingMiner } from '../../../support/listing-miner.js'
import { keyOf } from '../../../support/memory-accounts.js'
import type { Answering, StreamServer } from '../../../support/stream-server.js'

const shape = z.strictObject({
  error: z.strictObject({
    message: z.string().regex(/^([A-Z"]|messages).*\.$/),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
  }),
})

const MODEL = 'org/model'
const CHAT = '/v1/chat/completions'
const messages = [{ role: 'user', content: 'Hi' }]
const ask = { model: MODEL, messages }
const part = (content: unknown) => ({ model: MODEL, messages: [{ role: 'user', content: [content] }] })

let miner: StreamServer & { readonly port: number }
let answer: Answering = (response) => response.writeHead(500).end('{}')
let hub: HubRig
beforeAll(async () => {
  miner = await startListingMiner([MODEL, 'org/other'], (...given) => answer(...given))
  hub = await startHubRig([{ port: miner.port }], {
    'hub.max-body-bytes': 4096,
    'hub.first-token-timeout': 1,
    'hub.body-timeout': 1,
  })
  hub.accounts.keys.set('sk-narrow', keyOf({ id: 'key_2', limits: { models: ['org/other'] } }))
  hub.accounts.keys.set('sk-expired', keyOf({ id: 'key_4', limits: { expiresAtMs: 1 } }))
  hub.accounts.keys.set('sk-revoked', keyOf({ id: 'key_3', revokedAtMs: 1 }))
})
afterAll(async () => {
  await hub.close()
  await miner.close()
})
afterEach(() => {
  hub.accounts.refusal = undefined
  hub.accounts.isDown = false
})

/** Ids of requests, each seen once. */
const ids = new Set<string>()

async function errorOf(response: Response) {
  const id = response.headers.get('x-request-id') ?? ''
  expect(id).toMatch(/^req_/)
  expect(ids).not.toContain(id)
  ids.add(id)
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  const { error } = shape.parse(await response.json())
  return { status: response.status, ...error }
}

describe('keys', () => {
  it.each<[string, Record<string, string>, string]>([
    ['no key', {}, 'has no API key'],
    ['an unknown key', { authorization: 'Bearer sk-wrong' }, 'Unknown API key'],
    ['another scheme', { authorization: 'Basic c2stZ29vZA==' }, 'has no API key'],
    ['a revoked key', { authorization: 'Bearer sk-revoked' }, 'has been revoked'],
    ['an expired key', { authorization: 'Bearer sk-expired' }, 'has expired'],
    ['a text that is too long', { authorization: `Bearer ${'k'.repeat(1000)}` }, 'Unknown API key'],
    ['an unknown key in the header of Anthropic', { 'x-api-key': 'sk-wrong' }, 'Unknown API key'],
  ])('%s is 401', async (_, headers, why) => {
    expect(await errorOf(await hub.post(CHAT, ask, headers))).toMatchObject({
      ...{ status: 401, type: 'authentication_error', code: 'invalid_api_key' },
      message: expect.stringContaining(why),
    })
    const listed = await fetch(`${hub.url}/v1/models`, { headers })
    expect(listed.status).toBe(401)
  })

  it('a model that the key may not use is 403, served or not, and is not listed', async () => {
    const headers = { authorization: 'Bearer sk-narrow' }
    for (const model of [MODEL, 'org/secret'])
      expect(await errorOf(await hub.post(CHAT, { ...ask, model }, headers))).toMatchObject({
        ...{ status: 403, code: 'model_not_allowed', param: 'model' },
      })
    const listed = await fetch(`${hub.url}/v1/models`, { headers })
    expect(await listed.json()).toMatchObject({
      object: 'list',
      data: [{ id: 'org/other', object: 'model' }],
    })
  })
})

describe('bodies', () => {
  it.each<[string, unknown, string | null]>([
    ['no JSON', '{"model":', null],
    ['nothing', '', null],
    ['a list', [], null],
    ['deep nesting', `{"model":"m","x":${'['.repeat(40)}${']'.repeat(40)}}`, null],
    ['no model', { messages }, 'model'],
    ['a model that is not text', { ...ask, model: 5 }, 'model'],
    ['no messages', { model: MODEL }, 'messages'],
    ['an empty list of messages', { ...ask, messages: [] }, 'messages'],
    ['a message without a role', { ...ask, messages: [{ content: 'x' }] }, 'messages'],
    ['no tokens', { ...ask, max_tokens: 0 }, 'max_tokens'],
    ['half a token', { ...ask, max_completion_tokens: 1.5 }, 'max_completion_tokens'],
    ['a temperature beyond 2', { ...ask, temperature: 3 }, 'temperature'],
    ['more answers than allowed', { ...ask, n: 100 }, 'n'],
    ['a member outside the policy', { ...ask, guided_regex: '(a+)+' }, 'guided_regex'],
    [
      'an address to fetch',
      part({ type: 'image_url', image_url: { url: 'http://169.254.169.254/' } }),
      'messages',
    ],
    [
      'a file of the server',
      part({ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }),
      'messages',
    ],
    ['an unknown part', part({ type: 'file', file: { file_id: 'x' } }), 'messages'],
  ])('%s is 400', async (_, body, param) => {
    expect(await errorOf(await hub.post(CHAT, body))).toMatchObject({
      ...{ status: 400, type: 'invalid_request_error', code: 'invalid_request', param },
    })
  })

  it('a completion without a prompt, and an address on a route that is passed on, are 400 as well', async () => {
    const prompt = await errorOf(await hub.post('/v1/completions', { model: MODEL }))
    expect(prompt).toMatchObject({ status: 400, param: 'prompt' })
    const input = [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://host/a' }] }]
    const passed = await errorOf(await hub.post('/v1/responses', { model: MODEL, input }))
    expect(passed).toMatchObject({ status: 400, param: 'input' })
  })

  it('more bytes than allowed are 413', async () => {
    const long = { model: MODEL, messages: [{ role: 'user', content: 'x'.repeat(5000) }] }
    expect(await errorOf(await hub.post(CHAT, long))).toMatchObject({
      status: 413,
      code: 'request_too_large',
    })
  })

  it('a model that no miner serves is 404, and so is an unknown route', async () => {
    const unserved = await errorOf(await hub.post(CHAT, { ...ask, model: 'org/none' }))
    expect(unserved).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
    expect(await errorOf(await hub.post('/v1/images', ask))).toMatchObject({ status: 404, code: 'not_found' })
  })
})

describe('what is not a request', () => {
  const raw = async (text: string) => {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
    let answered = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      answered += part
    })
    socket.on('error', () => {})
    socket.write(text)
    await once(socket, 'close')
    const [head = '', body = ''] = answered.split('\r\n\r\n')
    const [, status] = /^HTTP\/1\.1 (\d+) /.exec(head) ?? []
    const headers = head.split('\r\n').slice(1)
    const pairs = headers.map((line) => line.split(': ', 2) as [string, string])
    return errorOf(new Response(body, { status: Number(status), headers: pairs }))
  }

  it.each([
    ['bytes that are not HTTP', 'NOT HTTP\r\n\r\n', 400, 'invalid_request'],
    [
      'an address that cannot be decoded',
      'GET /%zz HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n',
      400,
      'invalid_request',
    ],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'a body that does not arrive',
      `POST ${CHAT} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer sk-good\r\ncontent-length: 9\r\n\r\n`,
      408,
      'request_timeout',
    ],
  ])('%s', async (_, text, status, code) => {
    expect(await raw(text)).toMatchObject({ status, code, type: 'invalid_request_error' })
  })
})

it('answers to validators have an id too', async () => {
  for (const path of ['/ping', '/api/models'])
    expect((await fetch(`${hub.url}${path}`)).headers.get('x-request-id')).toMatch(/^req_/)
  const refused = await fetch(`${hub.url}/organics`, { method: 'POST', body: '[]' })
  expect(refused.status).toBe(400)
  expect(refused.headers.get('x-request-id')).toMatch(/^req_/)
})

describe('limits', () => {
  it.each<[LimitReason, number, string, string, string]>([
    ['requests', 429, 'rate_limit_error', 'rate_limit_exceeded', 'requests per minute'],
    ['tokens-per-day', 429, 'rate_limit_error', 'rate_limit_exceeded', 'tokens per day'],
    ['concurrent', 429, 'rate_limit_error', 'rate_limit_exceeded', 'concurrent requests'],
    ['budget', 429, 'insufficient_quota', 'insufficient_quota', 'does not cover this request'],
    ['model', 403, 'authentication_error', 'model_not_allowed', 'may not use the model "org/model"'],
    ['expired', 401, 'authentication_error', 'invalid_api_key', 'has expired'],
    ['revoked', 401, 'authentication_error', 'invalid_api_key', 'has been revoked'],
  ])('%s', async (reason, status, type, code, why) => {
    hub.accounts.refusal = { kind: 'refused', reason, retryAfterMs: 2500 }
    const response = await hub.post(CHAT, ask)
    expect(response.headers.get('retry-after')).toBe(reason === 'model' ? null : '3')
    expect(await errorOf(response)).toMatchObject({
      ...{ status, type, code, message: expect.stringContaining(why) },
      param: reason === 'model' ? 'model' : null,
    })
  })
})

describe('trouble of the hub', () => {
  it('a database that is down is 503, with and without a known key', async () => {
    hub.accounts.isDown = true
    const response = await hub.post(CHAT, ask)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(await errorOf(response)).toMatchObject({
      ...{ status: 503, code: 'accounts_unavailable' },
      message: 'API keys cannot be checked now. Try again later.',
    })
  })

  it.each<[string, Answering, number, string, string]>([
    [
      'a miner that refuses the body',
      (response) => void response.writeHead(400).end('{"error":{"message":"The context is too long"}}'),
      ...([400, 'miner_refused', 'The context is too long'] as const),
    ],
    [
      'a miner that fails and repeats the prompt',
      (response) => void response.writeHead(500).end('{"error":{"message":"cannot say Hi"}}'),
      ...([502, 'miner_failed', 'The miners that were asked failed to answer.'] as const),
    ],
    ['a miner that is dead', (response) => void response.destroy(), 502, 'miner_failed', 'failed to answer'],
    [
      'a miner that is busy',
      (response) => void response.writeHead(429).end('{}'),
      ...([503, 'miners_busy', 'All miners that were asked are busy.'] as const),
    ],
    ['a miner that is silent', () => {}, 504, 'miner_timeout', 'No token arrived within 1 s.'],
  ])('%s', async (_, answering, status, code, message) => {
    answer = answering
    const lines = hub.logs.length
    const response = await hub.post(CHAT, ask)
    const id = response.headers.get('x-request-id')
    expect(await errorOf(response)).toMatchObject({ status, code, message: expect.stringContaining(message) })
    const failures = hub.logs.slice(lines).filter(({ event }) => event === 'hub-request-failed')
    const miners = [{ uid: 1, reason: expect.not.stringContaining('Hi') }]
    expect(failures).toMatchObject(
      status < 500 ? [] : [{ id, level: 40, key: 'key_1', model: MODEL, code, attempts: 1, causes: miners }],
    )
    expect(hub.accounts.settled.at(-1)).toEqual({ promptTokens: 0, completionTokens: 0 })
  })
  it('a miner that failed several times in a row is left alone for a while, and no other is left', async () => {
    answer = (response) => void response.writeHead(500).end('{}')
    let last: Response
    do last = await hub.post(CHAT, ask)
    while (last.status === 502)
    expect(last.headers.get('retry-after')).toBe('5')
    expect(await errorOf(last)).toMatchObject({
      ...{ status: 503, code: 'no_miner', type: 'server_error' },
      message: 'No miner that serves this model can be asked now. Try again later.',
    })
  })
})
