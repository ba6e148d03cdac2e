import { describe, expect, it } from 'vitest'
import {
  createRandom,
  makePrompt,
  type PromptOptions,
  type SyntheticRequest,
} from '../../src/prompts/index.js'
import { ManualClock } from '../support/manual-clock.js'

const signal = new AbortController().signal

function options(change: Partial<PromptOptions> = {}): PromptOptions {
  return {
    model: 'org/m',
    endpoints: ['chat', 'completion'],
    maxTokens: { min: 512, max: 1920 },
    random: createRandom('seed'),
    clock: new ManualClock(),
    ...change,
  }
}

/** One request from each of many rounds. */
async function draw(rounds: number): Promise<SyntheticRequest[]> {
  const random = createRandom('rounds')
  const requests: SyntheticRequest[] = []
  for (let round = 0; round < rounds; round++)
    requests.push((await makePrompt(options({ random: random.fork(String(round)) }), signal)).forMiner('x'))
  return requests
}

function textOf(request: SyntheticRequest): string {
  return request.endpoint === 'chat'
    ? request.messages.map(({ content }) => content).join(' ')
    : request.prompt
}

describe('makePrompt', () => {
  it('makes the same requests for the same seed', async () => {
    const [a, b] = [await makePrompt(options(), signal), await makePrompt(options(), signal)]
    expect(a.forMiner('x')).toEqual(b.forMiner('x'))
    expect(a.forMiner('x')).toEqual(a.forMiner('x'))
  })

  it('gives each miner its own seed and persona, so that one GPU cannot serve many hotkeys', async () => {
    const prompt = await makePrompt(options(), signal)
    const requests = Array.from({ length: 40 }, (_, uid) => prompt.forMiner(`hotkey-${uid}`))
    expect(new Set(requests.map(({ seed }) => seed)).size).toBe(40)
    expect(new Set(requests.map(textOf)).size).toBe(40)
    expect(new Set(requests.map(({ maxTokens, temperature }) => `${maxTokens} ${temperature}`)).size).toBe(1)
  })

  it('sends all miners the same request in the form of 4.4.1 with sameForAll', async () => {
    const random = createRandom('parity')
    for (let round = 0; round < 100; round++) {
      const prompt = await makePrompt(options({ random, sameForAll: true, greedyShare: 1 }), signal)
      const request = prompt.forMiner('a')
      expect(prompt.forMiner('b')).toEqual(request)
      expect(request.seed).toBeGreaterThanOrEqual(10_000)
      expect(request.seed).toBeLessThanOrEqual(10_000_000)
      expect(request.temperature).toBeGreaterThan(0)
      expect(request.layout).toBeUndefined()
      expect(request.mayBeCut).toBe(true)
      expect(textOf(request)).toContain('First introduce yourself in one sentence.')
    }
  })

  it('stays within the range of lengths and uses both endpoints', async () => {
    const requests = await draw(200)
    for (const { maxTokens } of requests) {
      expect(maxTokens).toBeGreaterThanOrEqual(512)
      expect(maxTokens).toBeLessThanOrEqual(1920)
    }
    expect(new Set(requests.map(({ endpoint }) => endpoint))).toEqual(new Set(['chat', 'completion']))
  })

  it('draws seeds, temperatures and lengths like those that people and programs write', async () => {
    const requests = await draw(600)
    const seeds = requests.map(({ seed }) => seed)
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 1 && seed < 2 ** 31)).toBe(true)
    expect(seeds.filter((seed) => seed < 10_000).length).toBeGreaterThan(50)
    expect(seeds.filter((seed) => seed > 10_000_000).length).toBeGreaterThan(250)
    for (const { temperature } of requests) {
      expect(String(temperature).length).toBeLessThanOrEqual(4)
      expect(temperature).toBeGreaterThan(0)
      expect(temperature).toBeLessThanOrEqual(1)
    }
    const round = requests.filter(({ maxTokens }) => maxTokens % 50 === 0 || maxTokens % 128 === 0)
    expect(round.length).toBeGreaterThan(250)
    expect(round.length).toBeLessThan(550)
  })

  it('makes the given share of requests greedy, each by itself and in nothing else different', async () => {
    const prompt = await makePrompt(options({ greedyShare: 0.2 }), signal)
    const sampled = await makePrompt(options(), signal)
    const keys = Array.from({ length: 1000 }, (_, uid) => `hotkey-${uid}`)
    const greedy = keys.filter((key) => prompt.forMiner(key).temperature === 0)
    expect(greedy.length).toBeGreaterThan(150)
    expect(greedy.length).toBeLessThan(250)
    for (const key of keys.slice(0, 100))
      expect({ ...prompt.forMiner(key), temperature: 0 }).toEqual({
        ...sampled.forMiner(key),
        temperature: 0,
      })
  })

  it('words nothing the same every time', async () => {
    const requests = await draw(400)
    const counts = new Map<string, number>()
    for (const request of requests) {
      const words = textOf(request).split(/\s+/)
      const runs = new Set(words.slice(0, -3).map((_, index) => words.slice(index, index + 4).join(' ')))
      for (const run of runs) counts.set(run, (counts.get(run) ?? 0) + 1)
    }
    expect(Math.max(...counts.values())).toBeLessThan(0.2 * requests.length)
    const chats = requests.filter(({ endpoint }) => endpoint === 'chat')
    const withSystem = chats.filter((chat) => chat.endpoint === 'chat' && chat.messages[0]?.role === 'system')
    expect(withSystem.length).toBeGreaterThan(0.4 * chats.length)
    expect(withSystem.length).toBeLessThan(0.8 * chats.length)
  })

  it('uses only the allowed endpoints, for engines without a chat template', async () => {
    const random = createRandom('completion')
    for (let round = 0; round < 20; round++) {
      const prompt = await makePrompt(options({ random, endpoints: ['completion'] }), signal)
      expect(prompt.forMiner('x').endpoint).toBe('completion')
    }
  })

  it('uses the question as rewritten by the engine, and the original if the engine fails', async () => {
    const rewritten = await makePrompt(
      options({ engine: { generate: async () => ' tide causes \n' } }),
      signal,
    )
    expect(rewritten.question).toBe('tide causes')
    const reasons: string[] = []
    const failing = {
      generate: async () => {
        throw new Error('engine down')
      },
    }
    const plain = await makePrompt(
      options({ engine: failing, onFallback: (reason) => reasons.push(reason) }),
      signal,
    )
    expect(plain.question).toBe((await makePrompt(options(), signal)).question)
    expect(reasons).toEqual(['could not rewrite the question: engine down'])
  })
})
