import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { minerStatus } from '../../../../src/roles/miner/status-document.js'
import { type FakeVllm, sse, startFakeVllm, streamTwo } from '../../../support/fake-vllm.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { type MinerRig, startMinerRig } from '../../../support/miner-rig.js'

const CHAT = JSON.stringify({ model: 'org/model', messages: [], stream: true })

describe('public routes', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()))
  })

  async function start(
    settings: Parameters<typeof startMinerRig>[0]['settings'] = {},
    models: string[] = ['org/model'],
  ): Promise<[MinerRig, FakeVllm]> {
    const vllm = await startFakeVllm({ models })
    open.push(vllm)
    const rig = await startMinerRig({ settings: { 'model-endpoint': [vllm.url], ...settings } })
    open.push(rig)
    return [rig, vllm]
  }

  it('streams a signed request from the upstream byte for byte, with the miner’s key and no caller headers', async () => {
    const [rig, vllm] = await start({ 'api-key': 'upstream-key' })
    const answer = await rig.post('/v1/chat/completions', CHAT, {
      ...rig.sign(CHAT),
      cookie: 'c',
      authorization: 'Bearer caller',
    })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8')
    expect(await answer.body.text()).toBe(
      sse({ choices: [{ delta: { content: 'a' } }] }, { choices: [{ delta: { content: 'b' } }] }, '[DONE]'),
    )
    const [received] = vllm.received
    expect(received).toMatchObject({ path: '/v1/chat/completions', body: CHAT })
    expect(received?.headers).toMatchObject({
      authorization: 'Bearer upstream-key',
      'content-type': 'application/json',
    })
    expect(received?.headers.cookie).toBeUndefined()
    expect(Object.keys(received?.headers ?? {}).filter((name) => name.startsWith('epistula'))).toEqual([])
  })

  it('passes on status and body of an upstream’s 4xx, without its private headers', async () => {
    const [rig, vllm] = await start()
    vllm.answer = ({ response }) => {
      response.writeHead(400, {
        'content-type': 'application/json',
        'set-cookie': 'a=b',
        server: 'uvicorn',
        'x-secret': '1',
      })
      response.end('{"object":"error"}')
    }
    const answer = await rig.post('/v1/completions', CHAT)
    expect(answer.statusCode).toBe(400)
    expect(await answer.body.text()).toBe('{"object":"error"}')
    expect(Object.keys(answer.headers).sort()).toEqual([
      'connection',
      'content-type',
      'date',
      'keep-alive',
      'transfer-encoding',
    ])
  })

  it('answers GET /models with what it can serve now, and POST /models with an empty string', async () => {
    const [rig, vllm] = await start()
    const models = await request(`${rig.url}/models`, { headers: rig.sign('') })
    expect(await models.body.json()).toEqual(['org/model'])
    const wanted = await rig.post('/models', JSON.stringify(['org/a', 'org/a', 7, 'evil\nname']))
    expect(wanted.statusCode).toBe(200)
    expect(await wanted.body.text()).toBe('""')
    const status = (await (await fetch(`${rig.statusUrl}/status`)).json()) as Record<string, unknown>
    expect(status).toMatchObject({
      role: 'miner',
      uid: 1,
      models: ['org/model'],
      upstreams: [{ url: vllm.url, health: 'up' }],
      wanted: [{ hotkey: rig.validator.address, models: ['org/a'] }],
      callers: [{ hotkey: rig.validator.address, uid: 0, requests: 2 }],
    })
  })

  it('tells in its status who asked last and which refusals each caller got', async () => {
    const [rig] = await start({ 'min-stake': 10_000 })
    const headers = rig.sign('')
    const startedAt = Date.now()
    await (await request(`${rig.url}/models`, { headers })).body.dump()
    await (await request(`${rig.url}/models`, { headers })).body.dump()
    const poor = rig.sign('', { signer: rig.poor })
    await (await request(`${rig.url}/models`, { headers: poor })).body.dump()
    const stranger = rig.sign('', { signer: await hotkeyOf(9) })
    await (await request(`${rig.url}/models`, { headers: stranger })).body.dump()
    const status = minerStatus.parse(await (await fetch(`${rig.statusUrl}/status`)).json())
    expect(status).toMatchObject({
      netuid: 4,
      unavailable: null,
      standing: { stakeTao: expect.any(Number), incentive: expect.any(Number), hasPermit: false },
      requests: { requests: 4, answered: 1, refused: 3 },
      refusals: { REPLAYED: 1, LOW_STAKE: 1, UNKNOWN_SIGNER: 1 },
      callers: [
        { uid: 0, requests: 1, lastAt: expect.stringMatching(/Z$/), refusals: { REPLAYED: 1 } },
        { uid: 2, requests: 0, lastAt: null, refusals: { LOW_STAKE: 1 } },
      ],
    })
    expect(Date.parse(status.callers[0]?.lastAt ?? '')).toBeGreaterThanOrEqual(startedAt)
  })

  it('serves nothing else on its public port', async () => {
    const [rig] = await start()
    for (const path of [
      '/',
      '/livez',
      '/readyz',
      '/metrics',
      '/status',
      '/v1/models',
      '/health',
      '/tokenize',
    ]) {
      const answer = await request(`${rig.url}${path}`, { headers: rig.sign('') })
      expect(answer.statusCode, path).toBe(404)
      await answer.body.dump()
    }
  })

  it('accepts an absolute-form target, as forward proxies send it', async () => {
    const [rig] = await start()
    const ask = async (path: string) => {
      const sent = httpRequest(rig.url, { path, headers: rig.sign('') }).end()
      const [answer] = (await once(sent, 'response')) as [IncomingMessage]
      answer.resume()
      return answer.statusCode
    }
    expect(await ask('http://miner.example:9000/models?fresh')).toBe(200)
    for (const path of ['http://miner.example', 'ftp://miner.example/models', 'http://x/http://y/models'])
      expect(await ask(path), path).toBe(404)
  })

  it('serves its own hotkey whatever its stake, with a signature that holds', async () => {
    const [rig] = await start({ 'min-stake': 10_000 })
    const own = rig.sign('', { signer: rig.miner })
    const models = await request(`${rig.url}/models`, { headers: own })
    expect(await models.body.json()).toEqual(['org/model'])
    const claimed = { ...rig.sign('', { signer: rig.poor }), 'Epistula-Signed-By': rig.miner.address }
    const forged = await request(`${rig.url}/models`, { headers: claimed })
    expect(await forged.body.json()).toEqual({ detail: 'Signature Mismatch' })
  })

  it('rejects a replayed request, also on another path', async () => {
    const [rig, vllm] = await start()
    const headers = rig.sign(CHAT)
    const first = await rig.post('/v1/chat/completions', CHAT, headers)
    await first.body.dump()
    for (const path of ['/v1/chat/completions', '/v1/completions', '/models']) {
      const copy = await rig.post(path, CHAT, headers)
      expect(copy.statusCode).toBe(400)
      expect(await copy.body.json()).toMatchObject({ detail: 'Request was received before' })
    }
    expect(vllm.received).toHaveLength(1)
  })

  it('rejects an X-Targon-Model that differs from the signed body, and an unknown model with 404', async () => {
    const [rig, vllm] = await start({}, ['org/model', 'org/other'])
    const flipped = await rig.post('/v1/chat/completions', CHAT, {
      ...rig.sign(CHAT),
      'x-targon-model': 'org/other',
    })
    expect(flipped.statusCode).toBe(400)
    await flipped.body.dump()
    const other = JSON.stringify({ model: 'org/unknown' })
    const unknown = await rig.post('/v1/chat/completions', other)
    expect(unknown.statusCode).toBe(404)
    expect(await unknown.body.json()).toMatchObject({ error: { code: 'model_not_found' } })
    expect(vllm.received).toHaveLength(0)
  })

  it('refuses an unavailable model by X-Targon-Model alone, before the body', async () => {
    const [rig, vllm] = await start()
    const early = async (model: string) => {
      const { hostname, port } = new URL(rig.url)
      const asked = httpRequest({ hostname, port, method: 'POST', path: '/v1/chat/completions' })
      const headers = { ...rig.sign(CHAT), 'x-targon-model': model, 'content-length': String(CHAT.length) }
      for (const [name, value] of Object.entries(headers)) asked.setHeader(name, value)
      asked.flushHeaders()
      return asked
    }
    const stranger = await early('org/unknown')
    const [refusal] = (await once(stranger, 'response')) as [IncomingMessage]
    expect(refusal.statusCode).toBe(404)
    expect(JSON.parse((await refusal.toArray()).join(''))).toMatchObject({
      error: { code: 'model_not_found', param: 'model' },
    })
    stranger.destroy()
    const known = await early('org/model')
    known.end(CHAT)
    const [served] = (await once(known, 'response')) as [IncomingMessage]
    expect(served.statusCode).toBe(200)
    served.resume()
    await once(served, 'end')
    expect(vllm.received).toHaveLength(1)
  })

  it('does not reveal its models to a caller without stake', async () => {
    const [rig] = await start()
    const signer = await hotkeyOf(9)
    const headers = { ...rig.sign(CHAT, { signer }), 'x-targon-model': 'org/unknown' }
    const answer = await rig.post('/v1/chat/completions', CHAT, headers)
    expect(answer.statusCode).toBe(401)
    await answer.body.dump()
  })

  it('rejects bodies over the limit, declared or not', async () => {
    const [rig] = await start({ 'max-body-bytes': 2048 })
    const big = 'x'.repeat(4096)
    const declared = await rig.post('/v1/completions', big)
    expect(declared.statusCode).toBe(413)
    await declared.body.dump()
    const chunked = await request(`${rig.url}/v1/completions`, {
      method: 'POST',
      headers: rig.sign(big),
      body: Readable.from([Buffer.from(big)]),
    })
    expect(chunked.statusCode).toBe(413)
    expect(await chunked.body.json()).toEqual({
      error: {
        message: 'Body is too large',
        type: 'invalid_request_error',
        code: 'body_too_large',
        param: null,
      },
      detail: 'Body is too large',
    })
  })

  it('limits the requests of one signer and admits more when one ends', async () => {
    const [rig, vllm] = await start({ 'max-in-flight-per-signer': 1 })
    let release: (() => void) | undefined
    vllm.answer = ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(sse('first'))
      release = () => response.end(sse('[DONE]'))
    }
    const first = await rig.post('/v1/chat/completions', CHAT)
    const second = await rig.post('/v1/chat/completions', CHAT)
    expect(second.statusCode).toBe(429)
    expect(second.headers['retry-after']).toBe('1')
    await second.body.dump()
    release?.()
    await first.body.dump()
    vllm.answer = streamTwo
    const third = await rig.post('/v1/chat/completions', CHAT)
    expect(third.statusCode).toBe(200)
    await third.body.dump()
  })

  it('aborts the upstream request when the caller disconnects', async () => {
    const [rig, vllm] = await start()
    vllm.answer = ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(sse('first'))
    }
    const answer = await rig.post('/v1/chat/completions', CHAT)
    const upstream = await vllm.arrived(1)
    answer.body.destroy()
    await upstream.closed
    expect(upstream.response.writableFinished).toBe(false)
  })

  it('does not warn about unverified requests for a model whose server is down', async () => {
    const [rig, vllm] = await start({ 'routing.refresh': 0.05 })
    vllm.healthStatus = 500
    await expect
      .poll(() => rig.logs.some(({ event }) => event === 'upstream-down'), { timeout: 10_000 })
      .toBe(true)
    const forged = { ...rig.sign('{}', { model: 'org/model' }), 'Epistula-Request-Signature': '0x00' }
    const answer = await rig.post('/v1/chat/completions', CHAT, forged)
    expect(answer.statusCode).toBe(503)
    await answer.body.dump()
    expect(rig.logs.filter(({ event }) => event === 'request-not-served')).toEqual([
      expect.objectContaining({ level: 20, model: 'org/model' }),
    ])
    expect(await rig.close()).toMatchObject({ failed: 0, refused: 1 })
  })
})
