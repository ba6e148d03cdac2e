import type { ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { sse } from '../support/fake-vllm.js'
import { ManualClock } from '../support/manual-clock.js'
import { createRouterRig, settingsOf } from '../support/router-rig.js'

describe('forwarding', () => {
  const rig = createRouterRig()
  afterEach(() => rig.close())

  it('retries on another upstream after 500, 503, 429, a refused key, a redirect, a reset and a refused connection', async () => {
    const good = await rig.vllm()
    const dead = createTcpServer((socket) => void socket.destroy())
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve))
    rig.add({ close: () => new Promise((resolve) => dead.close(resolve)) })
    for (const status of [500, 503, 429, 401, 403, 307, 0]) {
      const bad = await rig.vllm({
        answer: ({ response }) => {
          if (status === 0) response.socket?.resetAndDestroy()
          else response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('no')
        },
      })
      const { post } = await rig.serve([settingsOf(bad.url, { weight: 1000 }), settingsOf(good.url)])
      const answer = await post()
      expect(answer.statusCode, `after ${status}`).toBe(200)
      expect(await answer.body.text()).toContain('[DONE]')
      expect(bad.received.length).toBeGreaterThan(0)
    }
  })

  it('retries even after a 200 head, as long as no byte of the body has arrived', async () => {
    const good = await rig.vllm()
    const bad = await rig.vllm({
      answer: ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        setImmediate(() => response.destroy())
      },
    })
    const { post } = await rig.serve([settingsOf(bad.url, { weight: 1000 }), settingsOf(good.url)])
    expect(await (await post()).body.text()).toContain('[DONE]')
    expect(bad.received).toHaveLength(1)
  })

  it('never retries after the first byte: the caller sees a cut connection, not a second answer', async () => {
    const good = await rig.vllm()
    const bad = await rig.vllm({
      answer: ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse('first'), () => response.destroy())
      },
    })
    const { post, nextOutcome } = await rig.serve([
      settingsOf(bad.url, { weight: 1000 }),
      settingsOf(good.url),
    ])
    const outcome = nextOutcome()
    const answer = await post()
    await expect(answer.body.text()).rejects.toThrow()
    expect(await outcome).toMatchObject({ kind: 'broken', upstream: bad.url })
    expect(good.received).toHaveLength(0)
  })

  it('passes on the upstream’s own error when there is no other upstream', async () => {
    const bad = await rig.vllm({
      answer: ({ response }) => void response.writeHead(500).end('{"error":"engine"}'),
    })
    const { post } = await rig.serve([settingsOf(bad.url)])
    const answer = await post()
    expect(answer.statusCode).toBe(500)
    expect(await answer.body.text()).toBe('{"error":"engine"}')
  })

  it('does not reveal to a caller that our own API key was refused', async () => {
    const bad = await rig.vllm({
      answer: ({ response }) => void response.writeHead(401).end('{"error":"Unauthorized"}'),
    })
    const { post } = await rig.serve([settingsOf(bad.url)])
    const answer = await post()
    expect(answer.statusCode).toBe(502)
    expect(await answer.body.json()).toMatchObject({ error: { code: 'upstream_failed' } })
  })

  it('stops advertising a model whose upstream keeps failing, and does not count 4xx as failures', async () => {
    let status = 400
    const bad = await rig.vllm({ answer: ({ response }) => void response.writeHead(status).end() })
    const { post, router } = await rig.serve([settingsOf(bad.url)])
    for (let count = 0; count < 10; count++) await (await post()).body.dump()
    expect(router.models()).toEqual(['org/model'])
    status = 503
    for (let count = 0; count < 3; count++) await (await post()).body.dump()
    expect(router.models()).toEqual([])
    const refused = await post()
    expect(refused.statusCode).toBe(503)
    expect(refused.headers['retry-after']).toBe('5')
    await refused.body.dump()
    expect(bad.received).toHaveLength(13)
  })

  it('passes on the response of the last upstream it may try, though there are more', async () => {
    const answer = ({ response }: { response: ServerResponse }) =>
      void response.writeHead(500).end('{"error":"engine"}')
    const four = await Promise.all([1, 2, 3, 4].map(() => rig.vllm({ answer })))
    const { post } = await rig.serve(four.map(({ url }) => settingsOf(url)))
    const failed = await post()
    expect([failed.statusCode, await failed.body.text()]).toEqual([500, '{"error":"engine"}'])
    expect(four.reduce((sum, { received }) => sum + received.length, 0)).toBe(3)
  })

  it('measures the total timeout from the request, not from the last attempt', async () => {
    const clock = new ManualClock()
    const silent = await Promise.all([1, 2].map(() => rig.vllm({ answer: () => {} })))
    const { post, nextOutcome } = await rig.serve(
      silent.map(({ url }) => settingsOf(url)),
      { firstByteTimeoutMs: 40_000, totalTimeoutMs: 60_000 },
      clock,
    )
    const outcome = nextOutcome()
    const answer = post()
    await Promise.race(silent.map((server) => server.arrived(1)))
    await clock.advance(40_000)
    await Promise.all(silent.map((server) => server.arrived(1)))
    await clock.advance(20_000)
    expect(await outcome).toMatchObject({ kind: 'refused', status: 504 })
    await (await answer).body.dump()
  })

  it('counts a 429 of an upstream neither as a failure nor as a success', async () => {
    let status = 429
    const answer = ({ response }: { response: ServerResponse }) =>
      void response.writeHead(status, { 'retry-after': '7' }).end()
    const full = await rig.vllm({ answer })
    const { post, router } = await rig.serve([settingsOf(full.url)])
    for (let count = 0; count < 10; count++) {
      const refused = await post()
      expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '7'])
      await refused.body.dump()
    }
    expect(router.report()[0]).toMatchObject({ breaker: 'closed', failures: 0 })
    // Three failures with a 429 after each are still three in a row.
    for (const next of [503, 429, 502, 429, 504]) {
      status = next
      await (await post()).body.dump()
    }
    expect(router.report()[0]).toMatchObject({ breaker: 'open', failures: 3 })

    status = 429
    const good = await rig.vllm()
    const pair = await rig.serve([settingsOf(full.url, { weight: 1000 }), settingsOf(good.url)])
    for (let count = 0; count < 10; count++) {
      const served = await pair.post()
      expect(served.statusCode).toBe(200)
      await served.body.dump()
    }
    expect(pair.router.report()[0]).toMatchObject({ requests: 10, breaker: 'closed', failures: 0 })
  })

  it('returns 429, not 502, when more upstreams are full than it may try', async () => {
    const answer = ({ response }: { response: ServerResponse }) => void response.writeHead(429).end()
    const full = await Promise.all([1, 2, 3, 4].map(() => rig.vllm({ answer })))
    const { post } = await rig.serve(full.map(({ url }) => settingsOf(url)))
    const refused = await post()
    expect(refused.statusCode).toBe(429)
    expect(await refused.body.json()).toMatchObject({ error: { code: 'all_busy' } })
  })
})
