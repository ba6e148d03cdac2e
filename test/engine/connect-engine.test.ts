import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConnectedEngine, connectEngine, type EngineOptions } from '../../src/engine/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { createDeferred } from '../../src/kernel/deferred.js'
import {
  type DevelopmentEngine,
  type DevelopmentEngineOptions,
  startDevelopmentEngine,
} from '../../src/localnet/engine/index.js'
import { type Answering, type StreamServer, startStreamServer } from '../support/stream-server.js'

const MODEL = 'targon-dev/small-a'
const signal = new AbortController().signal
let folder: string
const engines: DevelopmentEngine[] = []
const connected: ConnectedEngine[] = []
const servers: StreamServer[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'engine-'))
})
afterEach(async () => {
  await Promise.all(connected.splice(0).map((one) => one.close()))
  await Promise.all(engines.splice(0).map((one) => one.close()))
  await Promise.all(servers.splice(0).map((one) => one.close()))
  await rm(folder, { recursive: true, force: true })
})

async function development(options: Partial<DevelopmentEngineOptions> = {}) {
  const engine = await startDevelopmentEngine(
    { port: 0, models: [MODEL], ...options },
    { clock: systemClock },
  )
  engines.push(engine)
  return engine
}

function connect(urls: readonly string[], change: Partial<EngineOptions> = {}) {
  const engine = connectEngine({
    model: MODEL,
    urls,
    hubUrl: urls[0] ?? '',
    cacheDir: folder,
    clock: systemClock,
    log: pino({ enabled: false }),
    ...change,
  })
  connected.push(engine)
  return engine
}

const ready = (engine: ConnectedEngine) => engine.whenReady(AbortSignal.timeout(50_000))

/** A proxy in front of a real engine that can break its responses. */
async function relay(target: string, intercept: (path: string) => Answering | undefined) {
  const server = await startStreamServer((response, request) => {
    const broken = intercept(request.path)
    if (broken) return broken(response, request)
    const init = { method: request.method, headers: { 'content-type': 'application/json' } }
    fetch(target + request.path, request.method === 'POST' ? { ...init, body: request.body } : init)
      .then(async (answer) => response.writeHead(answer.status).end(await answer.text()))
      .catch(() => response.destroy())
  })
  servers.push(server)
  return server
}

describe('connectEngine', () => {
  it.each([
    ['current vLLM', {}, { dialect: 'v1', scaledLogprobs: false, maxLogprobs: 20 }],
    [
      'vLLM 0.6',
      { dialect: 'v0', returnTokensAsTokenIds: true },
      { dialect: 'v0', scaledLogprobs: true, maxLogprobs: 20 },
    ],
    ['a low --max-logprobs', { maxLogprobs: 7 }, { dialect: 'v1', maxLogprobs: 7 }],
    ['an API key', { apiKey: 'k' }, { dialect: 'v1' }],
  ] as const)('discovers %s', async (_, options, facts) => {
    const server = await development(options)
    const engine = connect([server.url], 'apiKey' in options ? { apiKey: options.apiKey } : {})
    await ready(engine)
    expect(engine.facts).toMatchObject({ ...facts, endpoints: ['chat', 'completion'], maxModelLength: 8192 })
    expect(engine.facts?.eosTokenIds.length).toBeGreaterThan(0)
    expect(engine.facts?.endOfTurnId).toBeTypeOf('number')
  })

  it.each([
    ['no key', undefined, 'TARGON_ENGINE_API_KEY is not set'],
    ['another key', 'x', 'It does not accept the key in TARGON_ENGINE_API_KEY'],
  ])('says which setting is missing when a server with a key gets %s', async (_, apiKey, reason) => {
    const engine = connect([(await development({ apiKey: 'k' })).url], { apiKey })
    await expect.poll(() => engine.unreadyReason).toContain(`returned 401: Unauthorized. ${reason}.`)
  })

  it('makes many calls on one signal without a warning of a leak', async () => {
    const engine = connect([(await development()).url])
    await ready(engine)
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    try {
      const [input, output] = [
        [1, 2, 3],
        [4, 5],
      ]
      await Promise.all(
        Array.from({ length: 40 }, async () => {
          await engine.tokenizeText('a', signal)
          await engine.score({ input, output, temperature: 1, topK: 1 }, signal)
        }),
      )
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      process.off('warning', onWarning)
    }
    expect(warnings).toEqual([])
  })

  it('scores, tokenizes, detokenizes and generates', async () => {
    const engine = connect([(await development()).url])
    await ready(engine)
    const input = await engine.tokenizeChat(
      [{ role: 'user', content: 'Why do tides come twice a day?' }],
      signal,
    )
    const output = await engine.tokenizeText(' The moon pulls.', signal, { addSpecialTokens: false })
    expect(await engine.detokenize(output, signal)).toBe(' The moon pulls.')
    // A signal that lives as long as the process must not keep an entry per call.
    const dependants = Object.getOwnPropertySymbols(signal).find(
      ({ description }) => description === 'kDependantSignals',
    )
    expect(dependants && Reflect.get(signal, dependants)?.size).toBeFalsy()
    const { positions, next } = await engine.score({ input, output, temperature: 0.7, topK: 20 }, signal)
    expect(positions).toHaveLength(output.length)
    for (const [index, position] of positions.entries()) {
      expect(position.has(output[index] ?? -1)).toBe(true)
      expect([...position.values()].filter(({ rank }) => rank <= 20)).toHaveLength(20)
    }
    expect([...next.values()].map(({ rank }) => rank)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    )
    const text = await engine.generate(
      { messages: [{ role: 'user', content: 'Say something.' }], maxTokens: 8, temperature: 0.5 },
      signal,
    )
    expect(text).not.toBe('')
  })

  it('scores many short answers in few calls, each as it would alone, whatever one of them contains', async () => {
    const server = await development()
    let calls = 0
    const counted = await relay(server.url, (path) => {
      if (path === '/v1/completions') calls++
      return undefined
    })
    const engine = connect([counted.url])
    await ready(engine)
    const vocabulary = engine.facts?.vocabularySize ?? 0
    const requests = Array.from({ length: 24 }, (_, at) => ({
      input: [1, 2, 3 + at],
      output: [4, 5 + at, 6].concat(at === 13 ? [vocabulary + 5] : []),
      temperature: at % 2 === 0 ? 0 : 0.7,
      topK: 20,
    }))
    calls = 0
    const together = await Promise.allSettled(requests.map((request) => engine.score(request, signal)))
    expect(together.flatMap(({ status }, at) => (status === 'rejected' ? [at] : []))).toEqual([13])
    // four alone, and twenty that waited: 16 together, refused and repeated, and the other four
    expect(calls).toBeLessThanOrEqual(4 + 1 + 16 + 1)
    const [first, , third] = together
    for (const [at, outcome] of [
      [0, first],
      [2, third],
      [23, together[23]],
    ] as const) {
      const request = requests[at]
      if (!request || outcome?.status !== 'fulfilled') throw new Error('not scored')
      expect(outcome.value).toEqual(await engine.score(request, signal))
    }
    calls = 0
    await Promise.all(requests.filter((_, at) => at !== 13).map((request) => engine.score(request, signal)))
    expect(calls).toBeLessThanOrEqual(4 + 2)
  })

  it('measures how fast it generates', async () => {
    const engine = connect([(await development({ tokensPerSecond: 200 })).url])
    await ready(engine)
    expect(engine.generatedTokensPerSecond).toBeUndefined()
    const messages = [{ role: 'user', content: 'Say something.' }] as const
    await engine.generate({ messages, maxTokens: 40, temperature: 0.5 }, signal)
    expect(engine.generatedTokensPerSecond).toBeGreaterThan(20)
    expect(engine.generatedTokensPerSecond).toBeLessThan(400)
  })
})

describe('unreadyReason', () => {
  it.each<[string, (url: string) => Partial<EngineOptions>, RegExp]>([
    [
      'the engine serves another model',
      () => ({ model: 'org/other', modelDir: 'test/fixtures/engine' }),
      /config\.json of org\/other is missing/,
    ],
    ['the hub is unreachable', () => ({ hubUrl: 'http://127.0.0.1:1' }), /could not be read/],
    ['the engine is down', (url) => ({ urls: ['http://127.0.0.1:1'], hubUrl: url }), /127\.0\.0\.1:1/],
  ])('says that %s', async (_, change, reason) => {
    const server = await development()
    const engine = connect([server.url], change(server.url))
    await expect.poll(() => engine.unreadyReason).toMatch(reason)
    expect(engine.facts).toBeUndefined()
  })

  it('is cleared once the server is up', async () => {
    const server = await development()
    let down = true
    const front = await relay(server.url, (path) =>
      down && path === '/version' ? (response) => response.writeHead(503).end('loading') : undefined,
    )
    const engine = connect([front.url], { hubUrl: server.url })
    await expect.poll(() => engine.unreadyReason).toMatch(/503/)
    down = false
    await ready(engine)
    expect(engine.unreadyReason).toBeUndefined()
  })
})

describe('engine calls', () => {
  const scoring = { input: [1, 2, 3], output: [4, 5, 6], temperature: 1, topK: 5 }

  it.each<[string, string, Answering]>([
    [
      'out of memory',
      'ENGINE_UNAVAILABLE',
      (response) => response.writeHead(500).end('{"message":"CUDA out of memory"}'),
    ],
    ['a reset', 'ENGINE_UNAVAILABLE', (response) => response.destroy()],
    ['a hang', 'ENGINE_UNAVAILABLE', () => undefined],
    ['HTML', 'ENGINE_ANSWER', (response) => response.end('<html>')],
    [
      'the response to another request',
      'ENGINE_ANSWER',
      (response) => response.end('{"choices":[{"prompt_logprobs":[null]}]}'),
    ],
    ['a refusal', 'ENGINE_REFUSED', (response) => response.writeHead(400).end('{"error":{"message":"no"}}')],
  ])('turns %s into %s', async (name, code, answer) => {
    const server = await development()
    let broken = false
    const front = await relay(server.url, (path) =>
      broken && path === '/v1/completions' ? answer : undefined,
    )
    const engine = connect([front.url], {
      hubUrl: server.url,
      ...(name === 'a hang' ? { scoringTimeoutMs: 1000 } : {}),
    })
    await ready(engine)
    broken = true
    await expect(engine.score(scoring, signal)).rejects.toMatchObject({ code, fault: 'upstream' })
  })

  it('stop after repeated faults until the server passes a probe', async () => {
    const server = await development()
    let broken = false
    const front = await relay(server.url, (path) =>
      broken && path === '/v1/completions' ? (response) => response.writeHead(500).end('{}') : undefined,
    )
    let offset = 0
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + offset }
    const engine = connect([front.url], { hubUrl: server.url, clock })
    await ready(engine)
    broken = true
    for (let call = 0; call < 2; call++) await expect(engine.score(scoring, signal)).rejects.toThrow()
    const scored = () => front.received.filter(({ body }) => body.includes('[1,2,3,4,5,6]')).length
    const calls = scored()
    await expect(engine.score(scoring, signal)).rejects.toThrow(/failed too often/)
    expect(engine.unreadyReason).toMatch(/failed too often/)
    expect(scored()).toBe(calls)
    // The end of the pause alone does not bring it back: it must pass a probe.
    offset = 60_000
    await expect(engine.score(scoring, signal)).rejects.toThrow(/is not ready/)
    expect(engine.unreadyReason).toMatch(/is not ready/)
    broken = false
    await expect.poll(() => engine.unreadyReason).toBeUndefined()
    expect((await engine.score(scoring, signal)).positions).toHaveLength(3)
  })

  it('go to the least busy replica, and to another one when a replica fails', async () => {
    const [first, second] = [await development(), await development()]
    const dead = await relay(first.url, (path) =>
      path === '/v1/completions' && first.load.running >= 0 && broken
        ? (response) => response.writeHead(500).end('{}')
        : undefined,
    )
    let broken = false
    const engine = connect([dead.url, second.url], { hubUrl: first.url })
    await ready(engine)
    await expect
      .poll(async () => {
        await Promise.all(Array.from({ length: 4 }, () => engine.score(scoring, signal)))
        return dead.received.filter(({ path }) => path === '/v1/completions').length
      })
      .toBeGreaterThan(2)
    broken = true
    const results = await Promise.all(Array.from({ length: 6 }, () => engine.score(scoring, signal)))
    expect(results).toHaveLength(6)
  })

  it.each([
    [
      'another dialect',
      { dialect: 'v0', returnTokensAsTokenIds: true },
      /speaks the dialect v0, the others v1/,
    ],
    [
      'logprobs scaled by temperature',
      { logprobsMode: 'processed' },
      /its logprobs are temperature-scaled, those of the others raw/,
    ],
    ['fewer logprobs', { maxLogprobs: 7 }, /it returns at most 7 logprobs, the others 20/],
    ['a smaller maximum length', { maxModelLen: 4096 }, /it accepts at most 4096 tokens, the others 8192/],
  ] as const)('quarantine a replica with %s and log why', async (_, options, reason) => {
    const [first, odd] = [await development(), await development(options)]
    const gate = createDeferred<void>()
    const late = await relay(odd.url, (path) =>
      path === '/version'
        ? (response) => void gate.promise.then(() => response.end('{"version":"0"}'))
        : undefined,
    )
    const reasons: string[] = []
    const log = pino(
      {},
      { write: (line: string) => void reasons.push(String(JSON.parse(line).err?.message ?? '')) },
    )
    const engine = connect([first.url, late.url], { hubUrl: first.url, log })
    await ready(engine)
    gate.resolve()
    await expect.poll(() => reasons.join('\n')).toMatch(reason)
    await Promise.all(Array.from({ length: 8 }, () => engine.score(scoring, signal)))
    expect(late.received.filter(({ body }) => body.includes('[1,2,3,4,5,6]'))).toEqual([])
    expect(engine.facts).toMatchObject({ dialect: 'v1', scaledLogprobs: false, maxLogprobs: 20 })
  })
})
