import { describe, expect, it } from 'vitest'
import type { InferenceRequest } from '../../src/inference/index.js'
import { createRandom, makePrompt, type PromptOptions } from '../../src/prompts/index.js'
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
    expect(new Set(requests.map((request) => JSON.stringify({ ...request, seed: 0 }))).size).toBe(40)
    expect(new Set(requests.map(({ maxTokens, temperature }) => `${maxTokens} ${temperature}`)).size).toBe(1)
  })

  it('sends all miners the same request with sameForAll, as 4.4.1 does', async () => {
    const prompt = await makePrompt(options({ sameForAll: true }), signal)
    expect(prompt.forMiner('a')).toEqual(prompt.forMiner('b'))
  })

  it('stays within the ranges of 4.4.1 and uses both endpoints', async () => {
    const random = createRandom('ranges')
    const endpoints = new Set<string>()
    for (let round = 0; round < 200; round++) {
      const prompt = await makePrompt(options({ random }), signal)
      const request: InferenceRequest = prompt.forMiner('x')
      endpoints.add(request.endpoint)
      expect(request.seed).toBeGreaterThanOrEqual(10_000)
      expect(request.seed).toBeLessThanOrEqual(10_000_000)
      expect(request.temperature).toBeGreaterThanOrEqual(0)
      expect(request.temperature).toBeLessThan(1)
      expect(request.maxTokens).toBeGreaterThanOrEqual(512)
      expect(request.maxTokens).toBeLessThanOrEqual(1920)
    }
    expect(endpoints).toEqual(new Set(['chat', 'completion']))
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
