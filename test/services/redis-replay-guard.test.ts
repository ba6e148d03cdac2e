import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import {
  connectRedisReplayGuard,
  type RedisReplayGuard,
} from '../../src/roles/miner/admission/redis-replay-guard.js'
import { startFakeVllm } from '../support/fake-vllm.js'
import { startFaultProxy } from '../support/fault-proxy.js'
import { startMinerRig } from '../support/miner-rig.js'

const url = process.env.TARGON_TEST_REDIS_URL

describe.skipIf(!url)('the replay guard in Redis (skipped without TARGON_TEST_REDIS_URL)', () => {
  const open: { close(): Promise<unknown> }[] = []
  let redis: Redis
  const stopping = new AbortController()
  afterAll(() => stopping.abort())
  beforeEach(async () => {
    redis = new Redis(url!)
    await redis.flushall()
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()))
    redis.disconnect()
  })

  async function replica(self = 'miner', address = url!, clock = systemClock): Promise<RedisReplayGuard> {
    const guard = await connectRedisReplayGuard({
      url: address,
      self,
      windowMs: 8000,
      clock,
      log: pino({ level: 'silent' }),
      signal: stopping.signal,
    })
    open.push(guard)
    return guard
  }
  const request = () => ({ signedBy: 'caller', uuid: randomUUID(), timestampMs: Date.now() + 1000 })

  it('admits each request once, whichever replicas receive the copies and however many at once', async () => {
    const replicas = await Promise.all([replica(), replica(), replica()])
    for (let round = 0; round < 20; round++) {
      const one = request()
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) => replicas[index % 3]!.admit(one)),
      )
      expect(answers.filter((answer) => answer === 'fresh')).toHaveLength(1)
      expect(answers.filter((answer) => answer === 'REPLAYED')).toHaveLength(29)
    }
  })

  it('expires a key once its timestamp can no longer be accepted', async () => {
    await (await replica()).admit(request())
    const [key] = (await redis.keys('targon:replay:*')).filter((one) => !one.endsWith(':since'))
    const ttlMs = await redis.pttl(key!)
    expect(ttlMs).toBeGreaterThan(16_000)
    expect(ttlMs).toBeLessThanOrEqual(26_000)
  })

  it('separates miners that share one Redis, and remembers across a restart of a replica', async () => {
    const one = request()
    expect(await (await replica('a')).admit(one)).toBe('fresh')
    expect(await (await replica('b')).admit(one)).toBe('fresh')
    expect(await (await replica('a')).admit(one)).toBe('REPLAYED')
  })

  it('refuses copies after Redis has lost its data', async () => {
    const guard = await replica()
    const served = { ...request(), timestampMs: Date.now() }
    expect(await guard.admit(served)).toBe('fresh')
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await redis.flushall()
    let answer = await guard.admit(served)
    while (answer === 'REPLAY_GUARD_FULL') {
      await new Promise((resolve) => setTimeout(resolve, 20))
      answer = await guard.admit(served)
    }
    expect(answer).toBe('BEFORE_START')
    expect(await guard.admit(request())).toBe('fresh')
  })

  it('admits requests again after a bounded time when the clock was ahead at the start', async () => {
    let [aheadMs, passedMs] = [3_600_000, 0]
    const clock = {
      ...systemClock,
      now: () => Date.now() + aheadMs,
      monotonic: () => performance.now() + passedMs,
    }
    const guard = await replica('miner', url!, clock)
    aheadMs = 0
    expect(await guard.admit(request())).toBe('BEFORE_START')
    passedMs = 27_000
    const one = request()
    expect(await guard.admit(one)).toBe('fresh')
    expect(await guard.admit(one)).toBe('REPLAYED')
  })

  it('refuses to start when the stored start time is not a number', async () => {
    await redis.set('targon:replay:miner:since', 'abc')
    await expect(replica()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
  })

  it('refuses requests while Redis does not answer', async () => {
    const guard = await replica()
    await guard.close()
    expect(await guard.admit(request())).toBe('REPLAY_GUARD_FULL')
    await expect(replica('x', 'redis://127.0.0.1:1')).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' })
  })

  it('refuses a captured request sent to a second miner behind the same load balancer', async () => {
    const vllm = await startFakeVllm()
    open.push(vllm)
    const settings = { 'model-endpoint': [vllm.url], 'replay.redis-url': url }
    const [first, second] = [await startMinerRig({ settings }), await startMinerRig({ settings })]
    open.push(first, second)
    const body = JSON.stringify({ model: 'org/model' })
    const headers = first.sign(body, { nowMs: Date.now() + 1000 })
    const answer = await first.post('/v1/completions', body, headers)
    expect(answer.statusCode).toBe(200)
    await answer.body.dump()
    const copy = await second.post('/v1/completions', body, headers)
    expect(copy.statusCode).toBe(400)
    expect(await copy.body.json()).toMatchObject({ detail: 'Request was received before' })
    expect(vllm.received).toHaveLength(1)
  })

  it('refuses with 503 and is not ready while Redis is down or hangs, and recovers by itself', async () => {
    const { hostname, port } = new URL(url!)
    const proxy = await startFaultProxy(`ws://${hostname}:${port}`)
    const vllm = await startFakeVllm()
    const address = proxy.url.replace('ws:', 'redis:')
    const rig = await startMinerRig({
      settings: { 'model-endpoint': [vllm.url], 'replay.redis-url': address },
    })
    open.push(proxy, vllm, rig)
    const body = JSON.stringify({ model: 'org/model' })
    const status = async () => {
      const answer = await rig.post('/v1/completions', body, rig.sign(body, { nowMs: Date.now() + 1000 }))
      await answer.body.dump()
      return answer.statusCode
    }
    const readiness = async () => (await fetch(`${rig.statusUrl}/readyz`)).status
    expect([await status(), await readiness()]).toEqual([200, 200])
    for (const [mode, drop] of [
      ['refuse', 'reset'],
      ['silent', undefined],
    ] as const) {
      proxy.mode = mode
      if (drop) proxy.drop(drop)
      await expect.poll(status).toBe(503)
      await expect.poll(readiness).toBe(503)
      const forwarded = vllm.received.length
      expect(await status()).toBe(503)
      expect(vllm.received.length).toBe(forwarded)
      proxy.mode = 'pass'
      // A miner that is not ready gets no requests: it must notice without one.
      await expect.poll(readiness).toBe(200)
      await expect.poll(status).toBe(200)
    }
  }, 60_000)
})
