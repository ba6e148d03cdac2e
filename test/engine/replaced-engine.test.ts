import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConnectedEngine, connectEngine } from '../../src/engine/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import {
  type DevelopmentEngine,
  type DevelopmentEngineOptions,
  startDevelopmentEngine,
} from '../../src/localnet/engine/index.js'
import { type StreamServer, startStreamServer } from '../support/stream-server.js'
import { requestOf, startVerificationRig } from '../support/verification-rig.js'

const MODEL = 'targon-dev/small-a'
const OLD = { dialect: 'v0', returnTokensAsTokenIds: true } as const
const NEW = { dialect: 'v1' } as const
const signal = new AbortController().signal

let folder: string
let passedMs: number
let lines: { readonly event: string; readonly url?: string }[]
const engines: DevelopmentEngine[] = []
const connected: ConnectedEngine[] = []
const servers: StreamServer[] = []
/** Deadlines see only the time the test sets; sleeps are real. */
const clock = { ...systemClock, monotonic: () => passedMs }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replaced-'))
  passedMs = 0
  lines = []
})
afterEach(async () => {
  await Promise.all(connected.splice(0).map((one) => one.close()))
  await Promise.all(servers.splice(0).map((one) => one.close()))
  await Promise.all(engines.splice(0).map((one) => one.close()))
  await rm(folder, { recursive: true, force: true })
})

async function start(options: Partial<DevelopmentEngineOptions>) {
  const engine = await startDevelopmentEngine(
    { port: 0, models: [MODEL], ...options },
    { clock: systemClock },
  )
  engines.push(engine)
  return engine
}

/** Another server behind the same address. */
async function upgrade(old: DevelopmentEngine, options: Partial<DevelopmentEngineOptions>) {
  await old.close()
  return await start({ port: old.port, ...options })
}

async function connect(...servers: { readonly url: string }[]) {
  const engine = connectEngine({
    model: MODEL,
    urls: servers.map(({ url }) => url),
    hubUrl: engines[0]?.url ?? '',
    cacheDir: folder,
    clock,
    log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  })
  connected.push(engine)
  await engine.whenReady(AbortSignal.timeout(50_000))
  return engine
}

/** URLs for which an event was logged. */
const loggedFor = (wanted: string) =>
  lines.flatMap(({ event, url }) => (event === wanted && url !== undefined ? [url] : [])).sort()

const score = (engine: ConnectedEngine) =>
  engine.score({ input: [1, 2, 3], output: [4, 5, 6], temperature: 0.5, topK: 5 }, signal)

describe('an engine replaced by another one behind the same URL', () => {
  it.each([
    ['0.6 by current vLLM', OLD, NEW, { dialect: 'v1', scaledLogprobs: false }],
    ['current vLLM by 0.6', NEW, OLD, { dialect: 'v0', scaledLogprobs: true }],
  ] as const)('is probed again after a refusal: %s', async (_, before, after, facts) => {
    const server = await start(before)
    const engine = await connect(server)
    await score(engine)
    await upgrade(server, after)
    // A refusal within 5 s of the probe counts as one of the request.
    passedMs = 6_000
    expect((await score(engine)).positions).toHaveLength(3)
    expect(engine.facts).toMatchObject(facts)
  })

  it('is probed again when it comes back after being down', async () => {
    const server = await start(OLD)
    const engine = await connect(server)
    await server.close()
    await expect(score(engine)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    await start({ port: server.port, ...NEW, returnTokensAsTokenIds: true })
    await score(engine)
    expect(engine.facts).toMatchObject({ dialect: 'v1', scaledLogprobs: false })
  })

  it.each([
    ['after a silence long enough for a restart', [11_000]],
    [
      'every 60 s, even if it is called often',
      [7_000, 14_000, 21_000, 28_000, 35_000, 42_000, 49_000, 56_000, 63_000],
    ],
  ])('is probed again although every call succeeds: %s', async (_, momentsMs) => {
    // Both accept each other's calls; only the meaning of the logprobs differs.
    const [before, after] = [await start(OLD), await start({ ...NEW, returnTokensAsTokenIds: true })]
    let target = before
    const balancer = await startStreamServer((response, { method, path, body }) => {
      const headers = { 'content-type': 'application/json' }
      fetch(target.url + path, method === 'POST' ? { method, headers, body } : {})
        .then(async (answer) => response.writeHead(answer.status).end(await answer.text()))
        .catch(() => response.destroy())
    })
    servers.push(balancer)
    const engine = await connect(balancer)
    await score(engine)
    target = after
    for (const momentMs of momentsMs) {
      expect(engine.facts).toMatchObject({ scaledLogprobs: true })
      passedMs = momentMs
      await score(engine)
    }
    expect(engine.facts).toMatchObject({ dialect: 'v1', scaledLogprobs: false })
  })

  it('keeps its facts when the same engine comes back', async () => {
    const server = await start(NEW)
    const engine = await connect(server)
    const { facts } = engine
    await upgrade(server, NEW)
    passedMs = 70_000
    await score(engine)
    expect(engine.facts).toBe(facts)
  })

  it('stays quarantined until the other replicas are replaced too', async () => {
    const [first, second] = [await start(OLD), await start(OLD)]
    const engine = await connect(first, second)
    await expect.poll(() => loggedFor('engine-ready')).toEqual([first.url, second.url].sort())
    await upgrade(first, { ...NEW, returnTokensAsTokenIds: true })
    passedMs = 11_000
    await score(engine)
    expect(engine.facts).toMatchObject({ dialect: 'v0', scaledLogprobs: true })
    await upgrade(second, { ...NEW, returnTokensAsTokenIds: true })
    passedMs = 22_000
    const facts = () => score(engine).then(() => engine.facts)
    await expect.poll(facts).toMatchObject({ dialect: 'v1', scaledLogprobs: false })
    await expect.poll(() => loggedFor('engine-ready')).toHaveLength(3)
    await second.close()
    expect((await score(engine)).positions).toHaveLength(3)
  })
})

describe('an upgrade during verification', () => {
  it.each([
    ['0.6 to current vLLM', OLD, NEW],
    ['current vLLM to 0.6', NEW, OLD],
  ] as const)('fails no honest answer: %s', async (_, before, after) => {
    const rig = await startVerificationRig({ returnTokensAsTokenIds: true, ...before })
    try {
      const honest = await rig.startMiner()
      const request = await requestOf('upgrade', { temperature: 0.9, maxTokens: 192 })
      const answer = await rig.ask(honest.url, request)
      const judge = async () => (await rig.verify(request, answer)).kind
      expect(await judge()).toBe('verified')
      await rig.reference.close()
      expect(await judge()).toBe('inconclusive')
      await rig.startMiner({ port: rig.reference.port, ...after })
      // The first verification starts with the facts of the old engine, unless it was probed again in the meantime.
      expect(await judge()).not.toBe('failed')
      expect([await judge(), await judge()]).toEqual(['verified', 'verified'])
    } finally {
      await rig.close()
    }
  })
})
