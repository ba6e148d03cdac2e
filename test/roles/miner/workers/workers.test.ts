import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { availableParallelism } from 'node:os'
import { kill } from 'node:process'
import { Client, request } from 'undici'
import { afterEach, describe, expect, it } from 'vitest'
import type { MinerSettings } from '../../../../src/config/index.js'
import { type Clock, systemClock } from '../../../../src/kernel/index.js'
import type { MinerStatus } from '../../../../src/roles/miner/index.js'
import { type FakeVllm, sse, startFakeVllm } from '../../../support/fake-vllm.js'
import { type MinerRig, minerSettingsOf, startMinerRig } from '../../../support/miner-rig.js'

const CHAT = JSON.stringify({ model: 'org/model', messages: [], stream: true })
const PATH = '/v1/chat/completions'

describe('a miner with several workers', () => {
  const open: { close(): Promise<unknown> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function start(
    settings: Partial<MinerSettings> = {},
    reload?: AsyncIterable<MinerSettings>,
    clock?: Clock,
  ) {
    const vllm = await startFakeVllm()
    open.push(vllm)
    const all = { workers: 2, 'model-endpoint': [vllm.url], 'drain-timeout': 20, ...settings }
    const rig = await startMinerRig({
      settings: all,
      deps: { ...(reload && { reload }), ...(clock && { clock }) },
    })
    open.push(rig)
    return { vllm, rig }
  }

  /** One connection each, the next one to another worker. */
  function connect({ url }: MinerRig): Client {
    const client = new Client(url)
    open.push({ close: () => client.destroy() })
    return client
  }

  const ask = (rig: MinerRig, client: Client, headers = rig.sign(CHAT)) =>
    client.request({ method: 'POST', path: PATH, headers, body: CHAT })

  const statusOf = async ({ statusUrl }: MinerRig) =>
    (await (await request(`${statusUrl}/status`)).body.json()) as MinerStatus
  const metricsOf = async ({ statusUrl }: MinerRig) => (await request(`${statusUrl}/metrics`)).body.text()
  const workersOf = async (rig: MinerRig) => (await statusOf(rig)).workers ?? []

  /** A stream that goes on until `finish`. */
  function holdStreams(vllm: FakeVllm) {
    vllm.answer = ({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(sse('first'))
    }
    return () => {
      for (const { response } of vllm.received) response.end(sse('[DONE]'))
    }
  }

  it('accepts one of two copies that arrive at different workers, and counts what all of them did', async () => {
    const { rig, vllm } = await start()
    const [a, b] = [connect(rig), connect(rig)]
    await Promise.all([ask(rig, a), ask(rig, b)].map(async (one) => (await one).body.dump()))
    const workers = await workersOf(rig)
    expect(workers.map(({ connections, requests }) => [connections, requests])).toEqual([
      [1, 1],
      [1, 1],
    ])
    let accepted = 0
    for (let pair = 0; pair < 20; pair++) {
      const headers = rig.sign(CHAT)
      const answers = await Promise.all([ask(rig, a, headers), ask(rig, b, headers)])
      for (const { statusCode, body } of answers) {
        if (statusCode === 200) {
          accepted++
          await body.dump()
        } else expect(await body.json()).toMatchObject({ detail: 'Request was received before' })
      }
    }
    expect(accepted).toBe(20)
    expect(vllm.received).toHaveLength(22)
    await expect.poll(async () => (await statusOf(rig)).requests.answered).toBe(22)
    const status = await statusOf(rig)
    expect(status.requests).toMatchObject({ requests: 42, answered: 22, refused: 20 })
    expect(status.refusals).toEqual({ REPLAYED: 20 })
    expect(status.callers).toMatchObject([{ uid: 0, requests: 22, inFlight: 0 }])
    expect(status.traffic).toMatchObject([{ model: 'org/model', answered: 22 }])
    expect(status.upstreams).toMatchObject([{ inFlight: 0, requests: 22 }])
    const metrics = await metricsOf(rig)
    expect(metrics).toContain('targon_miner_requests_total{route="chat",outcome="answered"} 22')
    expect(metrics).toContain('targon_miner_upstream_duration_seconds_count 22')
    expect(metrics).toContain('targon_miner_workers_ready 2')
  })

  it('gives no worker a key or a password, on its command line or in its environment', async () => {
    process.env.TARGON_API_KEY = 'sk-of-the-environment'
    const { rig } = await start({ 'api-key': 'sk-of-the-settings' })
    delete process.env.TARGON_API_KEY
    const workers = await workersOf(rig)
    expect(workers).toHaveLength(2)
    for (const { pid } of workers)
      for (const file of ['cmdline', 'environ'])
        expect(readFileSync(`/proc/${pid}/${file}`, 'utf8')).not.toMatch(/sk-of|TARGON/)
  })

  it('keeps the limits of a caller and of a model server over all workers', async () => {
    const { rig, vllm } = await start({
      ...{ 'max-in-flight': 6, 'max-in-flight-per-signer': 6 },
      ...{ 'routing.max-in-flight': 4, 'routing.queue-length': 0 },
    })
    const finish = holdStreams(vllm)
    const clients = Array.from({ length: 10 }, () => connect(rig))
    const answers = await Promise.all(clients.map((client) => ask(rig, client)))
    const statuses = answers.map(({ statusCode }) => statusCode)
    expect(statuses.filter((status) => status === 200)).toHaveLength(4)
    expect(statuses.filter((status) => status === 429)).toHaveLength(6)
    expect(await statusOf(rig)).toMatchObject({ inFlight: 4, upstreams: [{ inFlight: 4 }] })
    finish()
    for (const { body } of answers) await body.dump()
    await expect.poll(() => statusOf(rig)).toMatchObject({ inFlight: 0, upstreams: [{ inFlight: 0 }] })
    vllm.answer = ({ response }) => void response.writeHead(200).end('{}')
    expect((await ask(rig, clients[0]!)).statusCode).toBe(200)
  })

  it('loses only the streams of a worker that is killed, frees its places, and starts another', async () => {
    const { rig, vllm } = await start()
    const [a, b] = [connect(rig), connect(rig)]
    for (const client of [a, b]) await (await ask(rig, client)).body.dump()
    const finish = holdStreams(vllm)
    const [first, second] = await Promise.all([ask(rig, a), ask(rig, b)])
    const broken = first.body.text().then(
      () => 'whole',
      () => 'broken',
    )
    const other = second.body.text().then(
      () => 'whole',
      () => 'broken',
    )
    const before = await workersOf(rig)
    const counted = (await statusOf(rig)).requests.answered
    kill(before[0]?.pid ?? 0, 'SIGKILL')
    const ends = await Promise.race([
      broken.then((end) => ['first', end]),
      other.then((end) => ['second', end]),
    ])
    expect(ends[1]).toBe('broken')
    await expect
      .poll(() => workersOf(rig))
      .toMatchObject([
        { state: 'ready', restarts: 1, inFlight: 0 },
        { state: 'ready', restarts: 0, inFlight: 1 },
      ])
    const after = await workersOf(rig)
    expect(after[0]?.pid).not.toBe(before[0]?.pid)
    expect(after[1]?.pid).toBe(before[1]?.pid)
    expect(await statusOf(rig)).toMatchObject({ inFlight: 1, upstreams: [{ inFlight: 1 }] })
    expect((await statusOf(rig)).requests).toMatchObject({ answered: counted, failed: 1 })
    expect(await metricsOf(rig)).toContain('targon_miner_worker_restarts_total{worker="1"} 1')
    expect(rig.logs.find(({ event }) => event === 'worker-exited')).toMatchObject({ worker: 1, cut: 1 })
    finish()
    expect([await broken, await other].sort()).toEqual(['broken', 'whole'])
    vllm.answer = ({ response }) => void response.writeHead(200).end('{}')
    const fresh = [connect(rig), connect(rig)]
    for (const client of fresh) expect((await ask(rig, client)).statusCode).toBe(200)
    await expect.poll(async () => (await workersOf(rig)).map(({ inFlight }) => inFlight)).toEqual([0, 0])
  })

  it('reloads policy and model servers in every worker while streams run', async () => {
    const fresh = await startFakeVllm()
    open.push(fresh)
    let give: (settings: MinerSettings) => void = () => {}
    const given = new Promise<MinerSettings>((resolve) => {
      give = resolve
    })
    const reload = (async function* () {
      yield await given
      await new Promise(() => {})
    })()
    const { rig, vllm } = await start({}, reload)
    const [a, b] = [connect(rig), connect(rig)]
    const finish = holdStreams(vllm)
    const streams = await Promise.all([ask(rig, a), ask(rig, b)])
    give(
      minerSettingsOf({
        ...{ workers: 2, 'model-endpoint': [fresh.url], 'api-key': 'sk-fresh' },
        'request-policy': { deny: ['user'] },
      }),
    )
    await expect.poll(() => rig.logs.map(({ event }) => event)).toContain('upstreams-reloaded')
    const others = [connect(rig), connect(rig)]
    const denied = JSON.stringify({ model: 'org/model', messages: [], user: 'me' })
    for (const client of others) {
      await expect
        .poll(async () => {
          const headers = rig.sign(denied)
          const answer = await client.request({ method: 'POST', path: PATH, headers, body: denied })
          await answer.body.dump()
          return answer.statusCode
        })
        .toBe(400)
      const answer = await ask(rig, client)
      expect(answer.statusCode).toBe(200)
      await answer.body.dump()
    }
    expect(fresh.received.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer sk-fresh',
      'Bearer sk-fresh',
    ])
    finish()
    for (const { body } of streams) expect(await body.text()).toBe(sse('first', '[DONE]'))
  })

  it('finishes its streams when it is stopped, refuses new requests meanwhile, and leaves no process', async () => {
    const { rig, vllm } = await start()
    const [a, b] = [connect(rig), connect(rig)]
    const finish = holdStreams(vllm)
    const stream = await ask(rig, a)
    const pids = (await workersOf(rig)).map(({ pid }) => pid ?? 0)
    rig.stop()
    await expect.poll(async () => (await ask(rig, b)).statusCode).toBe(503)
    finish()
    expect(await stream.body.text()).toBe(sse('first', '[DONE]'))
    expect(await rig.done).toMatchObject({ answered: 1, cut: 0 })
    for (const pid of pids) expect(() => kill(pid, 0)).toThrow()
  })

  it('cuts streams that take longer than the drain', async () => {
    const { rig, vllm } = await start({ 'drain-timeout': 1 })
    holdStreams(vllm)
    const stream = await ask(rig, connect(rig))
    const text = stream.body.text().catch(() => 'broken')
    rig.stop()
    expect(await rig.done).toMatchObject({ cut: 1, abandoned: 1 })
    expect(await text).toBe('broken')
  })

  it('gives up the start, with the reason, when a worker cannot be started', async () => {
    process.env.NODE_OPTIONS = '--no-such-option'
    try {
      await expect(start()).rejects.toMatchObject({ code: 'WORKER_START_FAILED', fault: 'runtime' })
    } finally {
      delete process.env.NODE_OPTIONS
    }
  })

  it('tries again when the system cannot start a process in place of one that exited', async () => {
    const { rig } = await start()
    const [first] = await workersOf(rig)
    // Longer than the system lets one variable be, so that starting a process throws.
    process.env.NODE_OPTIONS = ' '.repeat(200_000)
    try {
      kill(first?.pid ?? 0, 'SIGKILL')
      const exits = () => rig.logs.filter(({ event }) => event === 'worker-exited').length
      await expect.poll(exits, { timeout: 10_000 }).toBeGreaterThan(1)
    } finally {
      delete process.env.NODE_OPTIONS
    }
    await expect
      .poll(async () => (await workersOf(rig)).map(({ state }) => state), { timeout: 20_000 })
      .toEqual(['ready', 'ready'])
  })

  it('gives new connections to workers that respond, and kills none because its own process was paused', async () => {
    let skippedMs = 0
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skippedMs }
    const { rig, vllm } = await start({}, undefined, clock)
    const [stopped] = await workersOf(rig)
    kill(stopped?.pid ?? 0, 'SIGSTOP')
    try {
      skippedMs = 70_000
      const stateOf = async () => (await workersOf(rig))[0]?.state
      await expect.poll(stateOf, { timeout: 20_000 }).toBe('silent')
      for (let count = 0; count < 6; count++) {
        const answer = await ask(rig, connect(rig))
        expect(answer.statusCode).toBe(200)
        await answer.body.dump()
      }
      expect(vllm.received).toHaveLength(6)
      expect(rig.logs.filter(({ event }) => event === 'worker-silent')).toEqual([])
    } finally {
      kill(stopped?.pid ?? 0, 'SIGCONT')
    }
  })

  it('keeps the time limits of the public port in its workers', async () => {
    const { rig } = await start({ 'header-timeout': 1 })
    const socket = createConnection(Number(new URL(rig.url).port), '127.0.0.1')
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 408 /)
    socket.destroy()
    await expect.poll(async () => (await statusOf(rig)).refusals).toEqual({ HEADERS_TOO_SLOW: 1 })
    await expect
      .poll(async () => (await workersOf(rig)).map(({ connections }) => connections))
      .toEqual([0, 0])
  })

  it('chooses the number of workers itself with auto', async () => {
    const { rig } = await start({ workers: 'auto' })
    const cores = availableParallelism()
    expect(await workersOf(rig)).toHaveLength(cores === 1 ? 0 : cores)
  })
})
