import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { askMiner } from '../../../../src/inference/index.js'
import { createDeferred, systemClock } from '../../../../src/kernel/index.js'
import { hubStatus } from '../../../../src/roles/hub/status-document.js'
import { sse } from '../../../support/fake-vllm.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { type HubRig, startHubRig } from '../../../support/hub-rig.js'
import { startListingMiner } from '../../../support/listing-miner.js'
import { keyOf } from '../../../support/memory-accounts.js'
import type { Answering, StreamServer } from '../../../support/stream-server.js'

const MODEL = 'org/model'
const CHAT = '/v1/chat/completions'
const ask = { model: MODEL, max_tokens: 8, messages: [{ role: 'user', content: 'Hi' }] }

const LOGPROBS = '"logprobs":{"content":[{"token":"token_id:7","logprob":-0.10}]}'
const chunk = (text: string, finish = 'null') =>
  `{"id":"c1","object":"chat.completion.chunk","created":1,"model":"${MODEL}","choices":[{"index":0,"delta":{"content":"${text}"},${LOGPROBS},"finish_reason":${finish}}]}`
const USAGE = '{"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}'
const answers: Answering = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(sse(chunk('a'), chunk('b', '"stop"'), USAGE, '[DONE]'))
}

const miners: StreamServer[] = []
let hub: HubRig
afterEach(async () => {
  await hub.close()
  for (const miner of miners.splice(0)) await miner.close()
})

async function open(answering: readonly Answering[], settings = {}) {
  const started = await Promise.all(answering.map((answer) => startListingMiner([MODEL], answer)))
  miners.push(...started)
  hub = await startHubRig(
    started.map(({ port }, index) => ({ port, coldkey: `c${index}` })),
    settings,
  )
}

const bodyAt = (index: number) => JSON.parse(String(miners[index]?.received.at(-1)?.body))
const asked = () => miners.flatMap(({ received }) => received.filter(({ path }) => path !== '/models'))

describe('a streamed answer', () => {
  it('is what the miner sent, without log probabilities and usage that the user did not ask for', async () => {
    await open([answers])
    const response = await hub.post(CHAT, { ...ask, stream: true })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'x-targon-miner-uid': '1',
      'x-targon-attempts': '1',
      'x-targon-verified': 'pending',
      'x-request-id': expect.stringMatching(/^req_/),
    })
    const plain = (text: string) => text.replace(LOGPROBS, '"logprobs":null')
    expect(await response.text()).toBe(sse(plain(chunk('a')), plain(chunk('b', '"stop"')), '[DONE]'))
    expect(hub.accounts.settled).toEqual([{ promptTokens: 3, completionTokens: 2 }])
  })

  it('is exactly what the miner sent for users who ask for both', async () => {
    await open([answers])
    const wishes = { stream: true, logprobs: true, stream_options: { include_usage: true } }
    const response = await hub.post(CHAT, { ...ask, ...wishes })
    expect(await response.text()).toBe(sse(chunk('a'), chunk('b', '"stop"'), USAGE, '[DONE]'))
  })

  it('names tokens by their text in the log probabilities of a chat, unless the user wants ids', async () => {
    const sent = chunk('a', '"stop"').replace('-0.10', '-0.10,"bytes":[97]')
    await open([
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end(sse(sent, '[DONE]'))
      },
    ])
    const wishes = { stream: true, logprobs: true }
    const readable = sent.replace('token_id:7', 'a').replace('-0.10', '-0.1')
    expect(await (await hub.post(CHAT, { ...ask, ...wishes })).text()).toBe(sse(readable, '[DONE]'))
    const ids = { ...ask, ...wishes, return_tokens_as_token_ids: true }
    expect(await (await hub.post(CHAT, ids)).text()).toBe(sse(sent, '[DONE]'))
    const whole = await (await hub.post(CHAT, { ...ask, logprobs: true })).json()
    expect(whole).toMatchObject({ choices: [{ logprobs: { content: [{ token: 'a', logprob: -0.1 }] } }] })
  })

  it('ends with an error event when the miner breaks off, and what came is charged', async () => {
    await open([
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.end(sse(chunk('a')))
      },
    ])
    const text = await (await hub.post(CHAT, { ...ask, stream: true })).text()
    expect(text).toContain('"code":"miner_failed"')
    expect(text).not.toContain('[DONE]')
    expect(hub.accounts.settled).toMatchObject([{ completionTokens: 1 }])
  })

  it('ends at the miner when the user leaves, and what came is charged', async () => {
    const closed = createDeferred<void>()
    await open([
      (response) => {
        response.once('close', () => closed.resolve())
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse(chunk('a')))
      },
    ])
    const leaving = new AbortController()
    const response = await fetch(`${hub.url}${CHAT}`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-good' },
      body: JSON.stringify({ ...ask, stream: true }),
      signal: leaving.signal,
    })
    await response.body?.getReader().read()
    leaving.abort()
    await closed.promise
    await vi.waitFor(() => expect(hub.accounts.settled).toMatchObject([{ completionTokens: 1 }]))
    await vi.waitFor(async () => expect((await status()).requests).toMatchObject({ left: 1 }))
    const metrics = await (await fetch(`${hub.statusUrl}/metrics`)).text()
    expect(metrics, 'no error was sent').not.toContain('targon_hub_errors_total{')
  })

  it('is not followed by bytes of another answer when the user sends bytes that are not HTTP', async () => {
    let finish = () => {}
    await open([
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse(chunk('a')))
        finish = () => response.end(sse(chunk('b', '"stop"'), '[DONE]'))
      },
    ])
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
    let answered = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      answered += part
    })
    const body = JSON.stringify({ ...ask, stream: true })
    socket.write(`POST ${CHAT} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer sk-good\r\n`)
    socket.write(`Content-Length: ${body.length}\r\n\r\n${body}`)
    await vi.waitFor(() => expect(answered).toContain('"a"'))
    socket.write('NOT HTTP\r\n\r\n')
    await once(socket, 'close')
    finish()
    expect(answered.match(/HTTP\/1\.1/g)).toHaveLength(1)
  })
})

describe('a whole answer', () => {
  it('is asked for as a stream and put together', async () => {
    await open([answers])
    const response = await hub.post(CHAT, ask)
    expect(await response.json()).toEqual({
      ...{ id: 'c1', object: 'chat.completion', created: 1, model: MODEL },
      choices: [
        { index: 0, message: { role: 'assistant', content: 'ab' }, logprobs: null, finish_reason: 'stop' },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    })
    expect(bodyAt(0)).toMatchObject({ stream: true, logprobs: true, stream_options: { include_usage: true } })
  })

  it('comes from another miner when one breaks off in the middle, and is charged once', async () => {
    const breaks: Answering = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(sse(chunk('x')))
    }
    await open([breaks, breaks, answers], { 'hub.attempts': 3 })
    const response = await hub.post(CHAT, ask)
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'ab' } }] })
    expect(response.headers.get('x-targon-attempts')).toBe(String(asked().length))
    expect(hub.accounts.settled).toEqual([{ promptTokens: 3, completionTokens: 2 }])
  })
})

describe('the prompt tokens of a whole answer', () => {
  const claims = USAGE.replace('"prompt_tokens":3', '"prompt_tokens":1000000000')
  it('are not those that a miner claimed which broke off', async () => {
    let requests = 0
    const answersSecond: Answering = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (requests++ === 0) response.end(sse(chunk('x'), claims))
      else response.end(sse(chunk('b', '"stop"'), '[DONE]'))
    }
    await open([answersSecond, answersSecond], { 'hub.attempts': 2 })
    const answered = await (await hub.post(CHAT, ask)).json()
    expect(requests).toBe(2)
    expect(answered).toMatchObject({
      usage: { prompt_tokens: 0, completion_tokens: 1, total_tokens: 1 },
    })
    const reserved = (hub.accounts.reserved[0]?.tokens ?? 0) - ask.max_tokens
    expect(hub.accounts.settled).toEqual([{ promptTokens: Math.ceil(reserved / 4), completionTokens: 1 }])
  })
})

describe('a request to a miner', () => {
  it('leaves no cut to the server, unless the user asks for one', async () => {
    await open([answers])
    await hub.post(CHAT, { ...ask, top_p: null })
    expect(bodyAt(0)).toMatchObject({ top_p: 1, top_k: -1, min_p: 0, repetition_penalty: 1 })
    await hub.post(CHAT, { ...ask, top_p: 0.9, top_k: 20 })
    expect(bodyAt(0)).toMatchObject({ top_p: 0.9, top_k: 20, min_p: 0, repetition_penalty: 1 })
  })

  it('has the headers of a request of a validator, in the same order', async () => {
    await open([answers])
    await hub.post(CHAT, ask)
    const { url = '' } = miners[0] ?? {}
    const signer = await hotkeyOf(9)
    const request = { model: MODEL, temperature: 1, maxTokens: 8, messages: [], endpoint: 'chat' } as const
    await askMiner(request, { url, hotkey: signer.address }, { clock: systemClock, signer })
    const [ours, theirs] = asked().map(({ headers }) => Object.keys(headers))
    expect(theirs?.length).toBeGreaterThan(5)
    expect(ours).toEqual(theirs)
  })

  it('has the members of the user, and an explicit limit, seed and temperature', async () => {
    await open([answers], { 'hub.max-tokens': 100, 'hub.default-tokens': 50 })
    await hub.post(CHAT, { ...ask, max_tokens: undefined, stop: ['x'], user: 'u' })
    const first = bodyAt(0)
    expect(first).toMatchObject({ max_tokens: 50, temperature: 1, stop: ['x'] })
    expect(first).not.toHaveProperty('user')
    expect(first.seed).toBeGreaterThan(0)
    await hub.post(CHAT, {
      ...ask,
      max_tokens: undefined,
      max_completion_tokens: 999,
      seed: 5,
      temperature: 0,
    })
    expect(bodyAt(0)).toMatchObject({ max_tokens: 100, seed: 5, temperature: 0 })
    expect(hub.accounts.reserved.map(({ tokens }) => tokens >= 50)).toEqual([true, true])
  })
})

describe('what cannot be verified', () => {
  it('passes as it is, with the usage that the miner claims up to what was reserved', async () => {
    const sent = { object: 'list', data: [], usage: { prompt_tokens: 4, completion_tokens: 1e9 } }
    await open([
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(sent))
      },
    ])
    for (const [path, body] of [
      ['/v1/embeddings', { model: MODEL, input: 'Hi' }],
      [CHAT, { ...ask, n: 2 }],
      ['/v1/completions', { model: MODEL, prompt: ['a', 'b'], max_tokens: 3 }],
    ] as const) {
      const response = await hub.post(path, body)
      expect(response.headers.get('x-targon-verified')).toBe('no')
      expect(await response.json()).toEqual(sent)
    }
    expect(hub.accounts.settled.map(({ completionTokens }) => completionTokens)).toEqual([0, 16, 6])
    expect(await kept()).toEqual([])
  })

  it.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['a format', { response_format: { type: 'json_object' } }],
    ['a bias', { logit_bias: { 5: 10 } }],
    ['a stop sequence', { stop: ['x'] }],
    ['parts of text', { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] }],
  ])('is answered and counted like any other, but not kept for validators: %s', async (_, members) => {
    await open([answers])
    const response = await hub.post(CHAT, { ...ask, ...members })
    expect(response.headers.get('x-targon-verified')).toBe('no')
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'ab' } }] })
    expect(hub.accounts.settled).toEqual([{ promptTokens: 3, completionTokens: 2 }])
    await hub.close()
    expect(await kept()).toEqual([])
  })

  it('is 404 when no miner has the route, and no miner is blamed', async () => {
    await open([(response) => void response.writeHead(404).end('{}')])
    const response = await hub.post('/v1/messages', ask, { 'x-api-key': 'sk-good' })
    expect(response.status).toBe(404)
    const status = await (await fetch(`${hub.statusUrl}/status`)).json()
    expect(status).toMatchObject({ miners: [{ failed: 0 }], requests: { refused: 1 } })
  })
})

describe('answers for validators', () => {
  it('are kept, those of exempt keys are not', async () => {
    await open([answers])
    hub.accounts.keys.set('sk-private', keyOf({ id: 'key_2', isRetained: false }))
    const exempt = await hub.post(CHAT, ask, { authorization: 'Bearer sk-private' })
    expect(exempt.headers.get('x-targon-verified')).toBe('no')
    expect(await kept()).toEqual([])
    await hub.post(CHAT, ask)
    await vi.waitFor(async () => expect(await kept()).toHaveLength(1))
  })
})

describe('a user', () => {
  it('that sends its request too slowly is cut off', async () => {
    await open([answers], { 'hub.body-timeout': 1 })
    const { hostname, port } = new URL(hub.url)
    const socket = connect(Number(port), hostname)
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer sk-good\r\n')
    socket.write('Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
    let text = ''
    socket.on('data', (data) => {
      text += data
    })
    await once(socket, 'close')
    expect(text).toContain('408')
  }, 10_000)

  it('gets no permission for pages of other sites', async () => {
    await open([answers])
    const response = await hub.post(CHAT, ask, { authorization: 'Bearer sk-good', origin: 'https://site' })
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

describe('too much', () => {
  it('is refused beyond the requests in flight that the hub allows', async () => {
    let finish = () => {}
    await open(
      [
        (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          response.write(sse(chunk('a')))
          finish = () => response.end(sse(chunk('b', '"stop"'), '[DONE]'))
        },
      ],
      { 'hub.max-in-flight': 1 },
    )
    const running = await hub.post(CHAT, { ...ask, stream: true })
    const refused = await hub.post(CHAT, ask)
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({ error: { code: 'hub_overloaded' } })
    finish()
    await running.text()
    await vi.waitFor(async () => expect((await status()).inFlight).toBe(0))
  })

  it('is not read from a miner for a user who does not read, and is cut off at last', async () => {
    const text = 'x'.repeat(60_000)
    let sent = 0
    await open(
      [
        (response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          const send = () => {
            while (sent < 3000 && response.write(sse(chunk(text)))) sent++
            if (sent < 3000) response.once('drain', send)
          }
          send()
        },
      ],
      { 'hub.max-tokens': 100_000, 'hub.gap-timeout': 1 },
    )
    const { hostname, port } = new URL(hub.url)
    const socket = connect(Number(port), hostname)
    const body = JSON.stringify({ ...ask, stream: true, max_tokens: 100_000 })
    socket.write(`POST ${CHAT} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer sk-good\r\n`)
    socket.write(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    socket.pause()
    await vi.waitFor(() => expect(hub.accounts.settled).toHaveLength(1), { timeout: 8000 })
    expect(sent).toBeLessThan(1000)
    socket.destroy()
    expect(hub.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
    expect((await status()).requests).toMatchObject({ left: 1, failed: 0 })
  }, 10_000)
})

describe('a hub that stops', () => {
  it('finishes running requests and refuses new ones', async () => {
    let finish = () => {}
    await open([
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse(chunk('a')))
        finish = () => response.end(sse(chunk('b', '"stop"'), '[DONE]'))
      },
    ])
    const running = await hub.post(CHAT, { ...ask, stream: true })
    hub.stop()
    await vi.waitFor(async () => expect((await hub.post(CHAT, ask)).status).toBe(503))
    finish()
    expect(await running.text()).toContain('[DONE]')
    expect(await hub.close()).toMatchObject({ answered: 1, cut: 0 })
  })
})

/** No prompt, answer or secret is logged. */
afterEach(() => {
  const text = JSON.stringify(hub.logs)
  for (const secret of ['sk-good', '"Hi"', 'token_id']) expect(text).not.toContain(secret)
})

const status = async () => hubStatus.parse(await (await fetch(`${hub.statusUrl}/status`)).json())

async function kept(): Promise<string[]> {
  const names = await readdir(join(hub.stateDir, 'organics')).catch(() => [])
  return names.filter((name) => name.endsWith('.row'))
}
