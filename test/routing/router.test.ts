import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { pino } from 'pino'
import { request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import {
  defaultLimits,
  type Outcome,
  type Router,
  type RoutingLimits,
  readRequest,
  startRouter,
  type UpstreamSettings,
} from '../../src/routing/index.js'
import { type FakeVllm, sse, startFakeVllm } from '../support/fake-vllm.js'
import { ManualClock } from '../support/manual-clock.js'

const BODY = JSON.stringify({ model: 'org/model', stream: true })

const settingsOf = (url: string, changes: Partial<UpstreamSettings> = {}): UpstreamSettings => ({
  url,
  apiKey: undefined,
  weight: 1,
  maxInFlight: 100,
  models: [],
  aliases: {},
  addTokenIds: false,
  ...changes,
})

/** Tells when the pause between two checks of a server begins and ends; no deadline is as long as one of these. */
class PauseClock extends ManualClock {
  pauses = 0
  isPausing = false

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const isPause = ms === defaultLimits.refreshMs || ms === 1000 || ms === 2000
    if (!isPause) return super.sleep(ms, signal)
    this.pauses++
    this.isPausing = true
    await super.sleep(ms, signal)
    this.isPausing = false
  }
}

describe('router', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function vllm(...args: Parameters<typeof startFakeVllm>): Promise<FakeVllm> {
    const fake = await startFakeVllm(...args)
    open.push(fake)
    return fake
  }

  /** A bare server around the router: what is tested is the way through it. */
  async function serve(
    upstreams: UpstreamSettings[],
    changes: Partial<RoutingLimits> = {},
    clock = systemClock as typeof systemClock | ManualClock,
  ) {
    const router: Router = await startRouter({
      clock,
      log: pino({ level: 'silent' }),
      upstreams,
      limits: { ...defaultLimits, ...changes },
      random: () => 0.5,
    })
    const outcomes: Outcome[] = []
    const waiting: ((outcome: Outcome) => void)[] = []
    const counts = { arrived: 0 }
    const server = createServer(async (incoming, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk)
      const body = Buffer.concat(chunks)
      counts.arrived++
      const outcome = await router.forward({
        path: '/chat/completions',
        ...readRequest(body)!,
        body,
        response,
      })
      outcomes.push(outcome)
      waiting.shift()?.(outcome)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    open.push({
      close: async () => {
        await router.close()
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      },
    })
    const nextOutcome = () => new Promise<Outcome>((resolve) => waiting.push(resolve))
    return {
      counts,
      router,
      url,
      outcomes,
      nextOutcome,
      post: (body = BODY) => request(url, { method: 'POST', body }),
    }
  }

  it('moves on to another upstream after 500, 503, 429, a refused key, a redirect, a reset and a refused connection', async () => {
    const good = await vllm()
    const dead = createTcpServer((socket) => void socket.destroy())
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve))
    open.push({ close: () => new Promise((resolve) => dead.close(resolve)) })
    for (const status of [500, 503, 429, 401, 403, 307, 0]) {
      const bad = await vllm({
        answer: ({ response }) => {
          if (status === 0) response.socket?.resetAndDestroy()
          else response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('no')
        },
      })
      const { post } = await serve([settingsOf(bad.url, { weight: 1000 }), settingsOf(good.url)])
      const answer = await post()
      expect(answer.statusCode, `after ${status}`).toBe(200)
      expect(await answer.body.text()).toContain('[DONE]')
      expect(bad.received.length).toBeGreaterThan(0)
    }
  })

  it('moves on even after a 200 head, as long as no byte of the body has come', async () => {
    const good = await vllm()
    const bad = await vllm({
      answer: ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.flushHeaders()
        setImmediate(() => response.destroy())
      },
    })
    const { post } = await serve([settingsOf(bad.url, { weight: 1000 }), settingsOf(good.url)])
    expect(await (await post()).body.text()).toContain('[DONE]')
    expect(bad.received).toHaveLength(1)
  })

  it('never moves on after the first byte: the caller sees a cut connection, not a second answer', async () => {
    const good = await vllm()
    const bad = await vllm({
      answer: ({ response }) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(sse('first'), () => response.destroy())
      },
    })
    const { post, nextOutcome } = await serve([settingsOf(bad.url, { weight: 1000 }), settingsOf(good.url)])
    const outcome = nextOutcome()
    const answer = await post()
    await expect(answer.body.text()).rejects.toThrow()
    expect(await outcome).toMatchObject({ kind: 'broken', upstream: bad.url })
    expect(good.received).toHaveLength(0)
  })

  it('passes the last upstream’s own error on when there is no other', async () => {
    const bad = await vllm({
      answer: ({ response }) => void response.writeHead(500).end('{"error":"engine"}'),
    })
    const { post } = await serve([settingsOf(bad.url)])
    const answer = await post()
    expect(answer.statusCode).toBe(500)
    expect(await answer.body.text()).toBe('{"error":"engine"}')
  })

  it('does not show a caller that our own key is refused', async () => {
    const bad = await vllm({
      answer: ({ response }) => void response.writeHead(401).end('{"error":"Unauthorized"}'),
    })
    const { post } = await serve([settingsOf(bad.url)])
    const answer = await post()
    expect(answer.statusCode).toBe(502)
    expect(await answer.body.json()).toMatchObject({ error: { code: 'upstream_failed' } })
  })

  it('takes an upstream that keeps failing out, though 4xx never counts, and stops advertising its model', async () => {
    let status = 400
    const bad = await vllm({ answer: ({ response }) => void response.writeHead(status).end() })
    const { post, router } = await serve([settingsOf(bad.url)])
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

  it('lets nobody shut a server with requests it answers 500, and takes it out when it answers our own so', async () => {
    const clock = new ManualClock()
    const server = await vllm({
      answer: (received) => {
        if (received.body.includes('odd')) received.response.writeHead(500).end()
        else received.response.writeHead(200).end('fine')
      },
    })
    const { post, router } = await serve([settingsOf(server.url)], {}, clock)
    const statusOf = async (body?: string) => {
      const answer = await post(body)
      await answer.body.dump()
      return answer.statusCode
    }
    const until = async (check: () => boolean) => {
      for (let turn = 0; turn < 500 && !check(); turn++) {
        await clock.advance(500)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      expect(check()).toBe(true)
    }
    const odd = JSON.stringify({ model: 'org/model', odd: true })
    for (let count = 0; count < 10; count++) expect(await statusOf(odd)).toBe(500)
    expect(router.report()[0]).toMatchObject({ breaker: 'closed', failures: 10, health: 'up' })
    expect(await statusOf()).toBe(200)

    for (let count = 0; count < 3; count++) expect(await statusOf(odd)).toBe(500)
    server.engineStatus = 500
    await until(() => router.models().length === 0)
    expect(router.report()[0]).toMatchObject({
      health: 'down',
      reason: 'it answers a plain request with 500',
    })
    expect(await statusOf()).toBe(503)
    server.engineStatus = 200
    await until(() => router.models().length === 1)
    expect(await statusOf()).toBe(200)
  })

  it('passes on the answer of the last server it may ask, though there are more', async () => {
    const answer = ({ response }: { response: ServerResponse }) =>
      void response.writeHead(500).end('{"error":"engine"}')
    const four = await Promise.all([1, 2, 3, 4].map(() => vllm({ answer })))
    const { post } = await serve(four.map(({ url }) => settingsOf(url)))
    const failed = await post()
    expect([failed.statusCode, await failed.body.text()]).toEqual([500, '{"error":"engine"}'])
    expect(four.reduce((sum, { received }) => sum + received.length, 0)).toBe(3)
  })

  it('counts the time of an answer from the request, not from the last attempt', async () => {
    const clock = new ManualClock()
    const silent = await Promise.all([1, 2].map(() => vllm({ answer: () => {} })))
    const { post, nextOutcome } = await serve(
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

  it('takes a 429 of an upstream neither for a failure nor for a success, alone or beside another', async () => {
    let status = 429
    const answer = ({ response }: { response: ServerResponse }) =>
      void response.writeHead(status, { 'retry-after': '7' }).end()
    const full = await vllm({ answer })
    const { post, router } = await serve([settingsOf(full.url)])
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
    const good = await vllm()
    const pair = await serve([settingsOf(full.url, { weight: 1000 }), settingsOf(good.url)])
    for (let count = 0; count < 10; count++) {
      const served = await pair.post()
      expect(served.statusCode).toBe(200)
      await served.body.dump()
    }
    expect(pair.router.report()[0]).toMatchObject({ requests: 10, breaker: 'closed', failures: 0 })
  })

  it('says 429, not 502, when more upstreams are full than are asked', async () => {
    const answer = ({ response }: { response: ServerResponse }) => void response.writeHead(429).end()
    const full = await Promise.all([1, 2, 3, 4].map(() => vllm({ answer })))
    const { post } = await serve(full.map(({ url }) => settingsOf(url)))
    const refused = await post()
    expect(refused.statusCode).toBe(429)
    expect(await refused.body.json()).toMatchObject({ error: { code: 'all_busy' } })
  })

  it('does not take an upstream out for one check that was lost, but for two', async () => {
    const clock = new PauseClock()
    const server = await vllm()
    let isLost = false
    const front = createServer((incoming, response) => {
      if (isLost) return void response.socket?.resetAndDestroy()
      void request(`${new URL(server.url).origin}${incoming.url}`).then(async (answer) => {
        response.writeHead(answer.statusCode).end(await answer.body.text())
      })
    })
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
    open.push({ close: () => new Promise((resolve) => void front.close(resolve).closeAllConnections()) })
    const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}/v1`
    const { router } = await serve([settingsOf(url)], {}, clock)
    const nextCheck = async () => {
      await expect.poll(() => clock.isPausing).toBe(true)
      const { pauses } = clock
      while (clock.isPausing && clock.pauses === pauses) await clock.advance(250)
      // The check is over when the pause before the next one has begun.
      await expect.poll(() => clock.pauses).toBe(pauses + 1)
    }
    for (let round = 0; round < 3; round++) {
      isLost = true
      await nextCheck()
      expect(router.report()[0]).toMatchObject({ health: 'up' })
      expect(router.models()).toEqual(['org/model'])
      isLost = false
      await nextCheck()
    }
    isLost = true
    await nextCheck()
    await nextCheck()
    expect(router.report()[0]).toMatchObject({ health: 'down' })
    expect(router.models()).toEqual([])
  })

  it('queues shortly when all are full, serves in order, and refuses with Retry-After beyond that', async () => {
    const slow = await vllm({ answer: ({ response }) => void response.writeHead(200).write('x') })
    const { post, router } = await serve([settingsOf(slow.url, { maxInFlight: 1 })], {
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

  it('gives waiting up at its deadline, and when the caller leaves', async () => {
    const clock = new ManualClock()
    const slow = await vllm({ answer: ({ response }) => void response.writeHead(200).write('x') })
    const { post, url, nextOutcome, counts } = await serve(
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
    expect(await left).toMatchObject({ kind: 'caller-gone', reason: 'the caller left while waiting' })
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

  it('cuts a silent upstream by first byte, gap and total deadlines', async () => {
    for (const [name, limits, head] of [
      ['first byte', { firstByteTimeoutMs: 1000 }, ''],
      ['gap', { gapTimeoutMs: 1000 }, 'x'],
      ['total', { totalTimeoutMs: 1000 }, 'x'],
    ] as const) {
      const clock = new ManualClock()
      const silent = await vllm({
        answer: ({ response }) => void (head && response.writeHead(200).write(head)),
      })
      const { post, nextOutcome } = await serve([settingsOf(silent.url)], limits, clock)
      const outcome = nextOutcome()
      const asked = post()
      const answer = asked.then((one) =>
        one.body.text().then(
          () => one.statusCode,
          () => 'cut',
        ),
      )
      const upstream = await silent.arrived(1)
      // Its first byte has been passed on when the caller has the head.
      if (head) await asked
      await clock.advance(1250)
      expect((await outcome).kind, name).toBe(head ? 'broken' : 'refused')
      expect(await answer, name).toBe(head ? 'cut' : 504)
      await upstream.closed
    }
  })

  it('cuts a caller that does not read, and frees its upstream', async () => {
    const clock = new ManualClock()
    let writing = true
    const flood = await vllm({
      answer: ({ response }) => {
        response.writeHead(200)
        const chunk = Buffer.alloc(64 << 10)
        const write = () => {
          while (writing && !response.destroyed && response.write(chunk));
        }
        response.on('drain', write).on('close', () => {
          writing = false
        })
        write()
      },
    })
    const { post, nextOutcome, router } = await serve(
      [settingsOf(flood.url)],
      { gapTimeoutMs: 1e9, totalTimeoutMs: 1e9 },
      clock,
    )
    const outcome = nextOutcome()
    const answer = await post()
    answer.body.on('error', () => {})
    let seen: Outcome | undefined
    void outcome.then((one) => {
      seen = one
    })
    while (seen === undefined) {
      await clock.advance(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(seen).toMatchObject({ kind: 'caller-gone', reason: 'the caller does not read' })
    await flood.received[0]?.closed
    expect(router.inFlight).toBe(0)
  })

  it('keeps up with the server’s models and health', async () => {
    const clock = new ManualClock()
    const server = await vllm({ models: ['a'] })
    const { router } = await serve([settingsOf(server.url)], {}, clock)
    const until = async (check: () => boolean) => {
      for (let turn = 0; turn < 500 && !check(); turn++) {
        await clock.advance(500)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
      expect(check()).toBe(true)
    }
    expect(router.models()).toEqual(['a'])
    server.models = ['b', 'a']
    await until(() => router.models().join() === 'a,b')
    server.healthStatus = 500
    await until(() => router.models().length === 0)
    expect(router.report()[0]).toMatchObject({ health: 'down', reason: 'GET /health answered 500' })
    server.healthStatus = 200
    server.metrics = 'vllm:num_requests_running 7\nvllm:num_requests_waiting 2\n'
    await until(() => router.report()[0]?.running === 7)
    expect(router.report()[0]).toMatchObject({ health: 'up', waiting: 2 })
  })

  it('prefers the server whose engine is less busy with others', async () => {
    const [busy, idle] = [await vllm(), await vllm()]
    busy.metrics = 'vllm:num_requests_running 10\nvllm:num_requests_waiting 5\n'
    idle.metrics = 'vllm:num_requests_running 0\nvllm:num_requests_waiting 0\n'
    const { post } = await serve([settingsOf(busy.url), settingsOf(idle.url)])
    for (let count = 0; count < 5; count++) await (await post()).body.dump()
    expect([busy.received.length, idle.received.length]).toEqual([0, 5])
  })

  it('reloads without dropping a stream of a removed upstream', async () => {
    const [old, fresh] = [await vllm(), await vllm({ models: ['org/new'] })]
    old.answer = ({ response }) => void response.writeHead(200).write(sse('first'))
    const { post, router } = await serve([settingsOf(old.url)])
    const stream = await post()
    const upstream = await old.arrived(1)
    await router.reload([settingsOf(fresh.url)])
    expect(router.models()).toEqual(['org/new'])
    upstream.response.end(sse('[DONE]'))
    expect(await stream.body.text()).toBe(sse('first', '[DONE]'))
  })
})
