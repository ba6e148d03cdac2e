import { afterEach, describe, expect, it } from 'vitest'
import type { UpstreamSettings } from '../../src/routing/index.js'
import { Upstream } from '../../src/routing/upstream.js'
import { type FakeVllm, startFakeVllm } from '../support/fake-vllm.js'
import { ManualClock } from '../support/manual-clock.js'
import { settingsOf } from '../support/router-rig.js'

describe('upstream', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function start(changes: Partial<UpstreamSettings> = {}): Promise<[Upstream, FakeVllm]> {
    const vllm = await startFakeVllm({ answer: ({ response }) => void response.writeHead(200).end('fine') })
    const upstream = new Upstream(settingsOf(vllm.url, changes), {
      clock: new ManualClock(),
      random: () => 0.5,
      deadlines: { watch: () => {}, forget: () => {} },
      connectTimeoutMs: 1000,
    })
    open.push(vllm, { close: () => upstream.destroy() })
    return [upstream, vllm]
  }

  const send = (upstream: Upstream, body: Buffer) =>
    new Promise<void>((onEnd, onError) => {
      upstream.send('/chat/completions', body, { onHead: () => {}, onBytes: () => {}, onEnd, onError })
    })

  it('sends the body with its own key, uncompressed, and another key once reconfigured', async () => {
    const [upstream, vllm] = await start({ apiKey: 'first' })
    await send(upstream, Buffer.from('{"a":"ü"}'))
    upstream.configure(settingsOf(vllm.url, { apiKey: 'second' }))
    await send(upstream, Buffer.from('{}'))
    expect(vllm.received.map(({ path, body }) => [path, body])).toEqual([
      ['/v1/chat/completions', '{"a":"ü"}'],
      ['/v1/chat/completions', '{}'],
    ])
    expect(vllm.received[0]?.headers).toMatchObject({
      host: new URL(vllm.url).host,
      authorization: 'Bearer first',
      'content-type': 'application/json',
      'accept-encoding': 'identity',
    })
    expect(vllm.received[1]?.headers.authorization).toBe('Bearer second')
  })

  it('serves its models and aliases under their public names, and rewrites the body for an alias only', async () => {
    const [upstream] = await start({ aliases: { public: 'inner' } })
    upstream.setListedModels(['inner'])
    expect(upstream.report().models).toEqual(['inner', 'public'])
    expect(upstream.targetModels()).toEqual(['inner', 'inner'])
    const body = Buffer.from('{"model":"inner"}')
    expect(upstream.bodyFor(body, 'inner')).toBe(body)
    expect(upstream.bodyFor(Buffer.from('{"model":"public"}'), 'public').toString()).toBe('{"model":"inner"}')
  })

  it('tells requests of other clients from its own', async () => {
    const [upstream] = await start()
    expect(upstream.otherRequests).toBe(0)
    upstream.engine = { running: 5, waiting: 2, generatedTokens: undefined }
    upstream.inFlightAtScrape = 3
    expect(upstream.otherRequests).toBe(4)
    upstream.inFlightAtScrape = 9
    expect(upstream.otherRequests).toBe(0)
  })

  it('is usable while its health check and its breaker allow', async () => {
    const [upstream] = await start()
    expect(upstream.isUsable).toBe(false)
    upstream.health = { kind: 'up' }
    expect(upstream.isUsable).toBe(true)
    for (let count = 0; count < 3; count++) upstream.breaker.failed()
    expect(upstream.isUsable).toBe(false)
    expect(upstream.report()).toMatchObject({ health: 'up', breaker: 'open' })
  })
})
