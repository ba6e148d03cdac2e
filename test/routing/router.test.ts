import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { sse } from '../support/fake-vllm.js'
import { ManualClock } from '../support/manual-clock.js'
import { BODY, createRouterRig, settingsOf } from '../support/router-rig.js'

describe('router', () => {
  const rig = createRouterRig()
  afterEach(() => rig.close())

  it('queues briefly when all upstreams are full, serves in order, and refuses with Retry-After when the queue is full', async () => {
    const slow = await rig.vllm({ answer: ({ response }) => void response.writeHead(200).write('x') })
    const { post, router } = await rig.serve([settingsOf(slow.url, { maxInFlight: 1 })], {
      queueLength: 1,
      queueTimeoutMs: 60_000,
    })
    const first = await post()
    const second = post()
    while (router.report()[0]!.inFlight < 1) await new Promise(setImmediate)
    const third = await Promise.race([second, post()])
    expect(third.statusCode).toBe(429)
    expect(third.headers['retry-after']).toBe('1')
    await third.body.dump()
    slow.received[0]?.response.end()
    await first.body.dump()
    await slow.arrived(2)
    slow.received[1]?.response.end()
    expect((await second).statusCode).toBe(200)
    await (await second).body.dump()
  })

  it('stops waiting at the queue timeout and when the caller disconnects', async () => {
    const clock = new ManualClock()
    const slow = await rig.vllm({ answer: ({ response }) => void response.writeHead(200).write('x') })
    const { post, url, nextOutcome, counts } = await rig.serve(
      [settingsOf(slow.url, { maxInFlight: 1 })],
      { gapTimeoutMs: 1e9 },
      clock,
    )
    const first = await post()
    const arrived = async (count: number) => {
      while (counts.arrived < count) await new Promise((resolve) => setImmediate(resolve))
    }
    const leaving = new AbortController()
    const left = nextOutcome()
    const gone = request(url, { method: 'POST', body: BODY, signal: leaving.signal }).catch(() => 'left')
    await arrived(2)
    leaving.abort()
    expect(await gone).toBe('left')
    expect(await left).toMatchObject({ kind: 'caller-left', reason: 'the caller disconnected while queued' })
    const waiting = post()
    await arrived(3)
    let settled = false
    void waiting.then(() => {
      settled = true
    })
    while (!settled) await clock.advance(250)
    expect((await waiting).statusCode).toBe(429)
    await (await waiting).body.dump()
    first.body.destroy()
    await slow.received[0]?.closed
  })

  it('prefers the server whose engine is less busy with other clients', async () => {
    const [busy, idle] = [await rig.vllm(), await rig.vllm()]
    busy.metrics = 'vllm:num_requests_running 10\nvllm:num_requests_waiting 5\n'
    idle.metrics = 'vllm:num_requests_running 0\nvllm:num_requests_waiting 0\n'
    const { post } = await rig.serve([settingsOf(busy.url), settingsOf(idle.url)])
    for (let count = 0; count < 5; count++) await (await post()).body.dump()
    expect([busy.received.length, idle.received.length]).toEqual([0, 5])
  })

  it('reloads without dropping a stream of a removed upstream', async () => {
    const [old, fresh] = [await rig.vllm(), await rig.vllm({ models: ['org/new'] })]
    old.answer = ({ response }) => void response.writeHead(200).write(sse('first'))
    const { post, router } = await rig.serve([settingsOf(old.url)])
    const stream = await post()
    const upstream = await old.arrived(1)
    await router.reload([settingsOf(fresh.url)])
    expect(router.models()).toEqual(['org/new'])
    upstream.response.end(sse('[DONE]'))
    expect(await stream.body.text()).toBe(sse('first', '[DONE]'))
  })
})
