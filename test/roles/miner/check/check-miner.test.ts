import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/kernel/clock.js'
import {
  type DevelopmentEngine,
  type DevelopmentEngineOptions,
  startDevelopmentEngine,
} from '../../../../src/localnet/engine/index.js'
import { type CheckOptions, checkMiner, type MinerCheck } from '../../../../src/roles/miner/check/index.js'
import { settingsOf } from '../../../support/router-rig.js'

const MODEL = 'targon-dev/small-a'
const engines: DevelopmentEngine[] = []

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()))
})

async function start(options: Partial<DevelopmentEngineOptions> = {}): Promise<DevelopmentEngine> {
  const engine = await startDevelopmentEngine(
    { port: 0, models: [MODEL], returnTokensAsTokenIds: true, tokensPerSecond: 2000, ...options },
    { clock: systemClock },
  )
  engines.push(engine)
  return engine
}

async function check(
  engine: DevelopmentEngine,
  change: Partial<
    CheckOptions & { signal: AbortSignal; onProgress: (sentence: string) => void; readyMs: number }
  > = {},
  server: Parameters<typeof settingsOf>[1] = {},
): Promise<MinerCheck> {
  const { signal = new AbortController().signal, onProgress = () => {}, readyMs = 20_000, ...given } = change
  return await checkMiner(
    {
      servers: [settingsOf(`${engine.url}/v1`, server)],
      against: [],
      againstKey: undefined,
      hub: { hubUrl: engine.url },
      answers: 4,
      // Enough to tell a server by: every token of an answer is compared.
      tokens: { min: 48, max: 64 },
      seed: 'test',
      ...given,
    },
    { clock: systemClock, log: pino({ enabled: false }), signal, onProgress, readyMs },
  )
}

/** Each finding as `weight code`, apart from the note on what it was compared with. */
function findingsOf({ servers }: MinerCheck): string[] {
  return servers
    .flatMap(({ findings, models }) => [...findings, ...models.flatMap((model) => model.findings)])
    .filter(({ code }) => code !== 'compared-with-itself')
    .map(({ weight, code }) => `${weight} ${code}`)
}

function fixesOf({ servers }: MinerCheck): string {
  return JSON.stringify(servers)
}

// The times of real tokens are judged: when the machine stalls, tokens arrive together and an answer counts as not streamed.
const retry = process.env.CI ? 1 : 0

describe('the check of a miner’s model servers', { timeout: 60_000, retry }, () => {
  it('finds nothing at an honest server, compared with a second engine', async () => {
    const [server, reference] = [await start(), await start()]
    const result = await check(server, { against: [{ model: MODEL, urls: [reference.url] }] })
    expect(findingsOf(result)).toEqual([])
    expect(result.verified).toBe(true)
    const [model] = result.servers[0]?.models ?? []
    expect(model).toMatchObject({
      model: MODEL,
      comparedWith: reference.url,
      answers: { verified: 4, failed: 0, notJudged: 0 },
      residual: 0,
    })
    expect(model?.tokensPerSecond).toBeGreaterThan(0)
    expect(model?.firstTokenMs).toBeGreaterThan(0)
    expect(model?.findings.map(({ code }) => code)).not.toContain('compared-with-itself')
  })

  it.each<[string, Partial<DevelopmentEngineOptions>, string[], RegExp]>([
    ['V0', { dialect: 'v0' }, ['warns logprobs-processed'], /--logprobs-mode raw_logprobs/],
    ['processed log probabilities', { logprobsMode: 'processed' }, ['warns logprobs-processed'], /raw_/],
    [
      'generation_config.json',
      { samplingDefaults: { topP: 0.7 } },
      ['warns generation-config'],
      /top_p 0\.7.*--generation-config vllm/,
    ],
    ['merged chunks', { tokensPerChunk: 4 }, ['warns chunks-merged'], /7[45] %.*--stream-interval 1/],
    ['a reasoning parser', { reasoningParser: true }, ['warns chat-text-moved'], /--reasoning-parser/],
    ['a date in the template', { templateDate: true }, ['notes template-date'], /TZ=UTC/],
    ['few log probabilities', { maxLogprobs: 5 }, ['warns logprobs-limit'], /--max-logprobs 20/],
    [
      'missing token ids',
      { returnTokensAsTokenIds: false },
      ['fails token-ids-missing'],
      /--return-tokens-as-token-ids, or the miner with --routing\.add-token-ids/,
    ],
    [
      'token ids that V0 cannot add',
      { returnTokensAsTokenIds: false, dialect: 'v0' },
      ['fails token-ids-missing'],
      /Start the server with --return-tokens-as-token-ids\./,
    ],
    ['a key that it lacks', { apiKey: 'secret' }, ['fails server-down'], /--api-key/],
    ['unreadable answers', { behaviour: 'malformed' }, ['fails answer-failed'], /BAD_STREAM/],
    ['no log probabilities', { behaviour: 'no-logprobs' }, ['fails token-ids-missing'], /token-ids/],
  ])('finds %s exactly once, with its fix', async (_, options, expected, fix) => {
    const result = await check(await start(options))
    expect(findingsOf(result)).toEqual(expected)
    expect(fixesOf(result)).toMatch(fix)
    expect(result.verified).toBe(!expected.some((finding) => finding.startsWith('fails')))
  })

  it('finds processed log probabilities against a raw engine, too', async () => {
    const [server, reference] = [await start({ logprobsMode: 'processed' }), await start()]
    const result = await check(server, { against: [{ model: MODEL, urls: [reference.url] }] })
    expect(findingsOf(result)).toEqual(['warns logprobs-processed'])
  })

  it('finds another model only against a second engine, by verdict and evidence', async () => {
    const [server, reference] = [await start({ behaviour: 'quantised' }), await start()]
    const alone = await check(server)
    expect(alone.servers[0]?.models[0]?.findings.map(({ code }) => code)).toContain('compared-with-itself')
    const result = await check(server, { against: [{ model: MODEL, urls: [reference.url] }] })
    expect(new Set(findingsOf(result))).toEqual(new Set(['fails answer-failed', 'fails evidence']))
    expect(result.verified).toBe(false)
  })

  it.each(['murmur3', 'philox-fp32'] as const)('names the sampler %s of its seeds', async (sampler) => {
    const { servers } = await check(await start({ sampler }))
    const [model] = servers[0]?.models ?? []
    expect(model?.dialect).toBe(sampler)
    expect(model?.findings.map(({ code }) => code)).toEqual(['compared-with-itself'])
  })

  it('notes a server whose draws follow no seed', async () => {
    const { servers, verified } = await check(await start({ sampler: 'generator' }), {
      tokens: { min: 160, max: 200 },
    })
    expect(servers[0]?.models[0]?.dialect).toBeNull()
    expect(servers[0]?.models[0]?.findings).toMatchObject([
      { code: 'seed-not-followed', weight: 'notes' },
      { code: 'compared-with-itself' },
    ])
    expect(verified).toBe(true)
  })

  it('finds a server that generates other values than it reads back', async () => {
    const result = await check(await start({ numericNoise: { decode: 0.6 } }))
    const found = findingsOf(result).filter((finding) => /evidence|noise/.test(finding))
    expect(found).toHaveLength(1)
    expect(fixesOf(result)).toContain('--kv-cache-dtype')
  })

  it('finds 4-bit weights, which pass each single check, against a second engine', async () => {
    const [server, reference] = [await start({ behaviour: 'int4' }), await start()]
    const against = [{ model: MODEL, urls: [reference.url] }]
    const result = await check(server, { against, answers: 8, tokens: { min: 128, max: 160 } })
    expect(findingsOf(result)).toEqual(['fails evidence'])
    expect(result.servers[0]?.models[0]?.answers.failed).toBe(0)
  })

  it('accepts token ids that the miner adds', async () => {
    const result = await check(await start({ returnTokensAsTokenIds: false }), {}, { addTokenIds: true })
    expect(findingsOf(result)).toEqual([])
    expect(result.verified).toBe(true)
  })

  it('sends the keys of the server and of the second engine', async () => {
    const [server, reference] = [await start({ apiKey: 'one' }), await start({ apiKey: 'two' })]
    const against = [{ model: MODEL, urls: [reference.url] }]
    const result = await check(server, { against, againstKey: 'two' }, { apiKey: 'one' })
    expect(findingsOf(result)).toEqual([])
  })

  it('judges nothing without an engine that is ready', async () => {
    const server = await start()
    const result = await check(server, { hub: { hubUrl: 'http://127.0.0.1:1' }, readyMs: 300 })
    expect(findingsOf(result)).toEqual(['fails no-reference'])
    expect(fixesOf(result)).toContain('--engine.model-dir')
    expect(result.verified).toBe(false)
  })

  it('checks only the model that is named, and says when no server has it', async () => {
    const server = await start({ models: [MODEL, 'targon-dev/small-b'] })
    const { servers } = await check(server, { model: 'targon-dev/small-b' })
    expect(servers[0]?.models.map(({ model }) => model)).toEqual(['targon-dev/small-b'])
    await expect(check(server, { model: 'org/other' })).rejects.toMatchObject({ code: 'MODEL_NOT_SERVED' })
  })

  it('ends at once when it is stopped while it waits for answers', async () => {
    const server = await start()
    const stop = new AbortController()
    const reason = new Error('stopped')
    const onProgress = (sentence: string) => {
      if (sentence.startsWith('asking')) server.setBehaviour('drip')
    }
    const running = check(server, { signal: stop.signal, onProgress })
    const awaited = expect.poll(() => server.load.running, { timeout: 30_000 }).toBeGreaterThan(0)
    await Promise.all([expect(running).rejects.toBe(reason), awaited.then(() => stop.abort(reason))])
    await expect.poll(() => server.load.running).toBe(0)
  })
})
