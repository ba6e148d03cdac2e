import { describe, expect, it } from 'vitest'
import {
  loadModel,
  NEUTRAL_SAMPLING,
  pickToken,
  processLogprobs,
  type SamplingSettings,
} from '../../../../src/localnet/engine/language/index.js'
import { chatPrompt } from '../samples.js'

const model = loadModel('targon-dev/small-a')
const context = model.start()
for (const id of chatPrompt(model, 1)) context.push(id)
const distribution = context.next()
const [best = 0, second = 0, third = 0] = distribution.top(3)
const nothing = { prompt: new Set<number>(), output: new Map<number, number>() }
const noBan: ReadonlySet<number> = new Set()

const pick = (settings: Partial<SamplingSettings>, fraction: number, banned = noBan, seen = nothing) =>
  pickToken(distribution, { ...NEUTRAL_SAMPLING, ...settings }, seen, banned, { fraction })
const process = (settings: Partial<SamplingSettings>) =>
  processLogprobs(distribution, { ...NEUTRAL_SAMPLING, ...settings }, nothing, noBan)
const survivors = (scores: Float64Array) => scores.filter((score) => score > Number.NEGATIVE_INFINITY).length

describe('pickToken', () => {
  it('takes the most likely token at temperature 0, whatever the random fraction', () => {
    expect([0, 0.5, 0.999].map((fraction) => pick({ temperature: 0 }, fraction))).toEqual([best, best, best])
  })

  it('walks the tokens from the most likely down', () => {
    const probability = Math.exp(distribution.logprobOf(best))
    expect(pick({}, probability - 1e-6)).toBe(best)
    expect(pick({}, probability + 1e-6)).toBe(second)
  })

  it('picks the same token from the head as from the processed logprobs', () => {
    for (const fraction of [0.01, 0.3, 0.6, 0.9, 0.99]) {
      const scores = process({ temperature: 0.7 })
      const settings = { ...NEUTRAL_SAMPLING, temperature: 0.7 }
      const dense = pickToken(distribution, settings, nothing, noBan, { fraction }, scores)
      expect(pick({ temperature: 0.7 }, fraction)).toBe(dense)
    }
  })

  it('never takes a banned token', () => {
    expect(pick({ temperature: 0 }, 0, new Set([best, second]))).toBe(third)
  })

  it('applies logit biases and penalties', () => {
    expect(pick({ temperature: 0, logitBias: new Map([[third, 100]]) }, 0)).toBe(third)
    const seen = { ...nothing, output: new Map([[best, 3]]) }
    expect(pick({ temperature: 0, frequencyPenalty: 2, presencePenalty: 2 }, 0, noBan, seen)).not.toBe(best)
  })
})

describe('processLogprobs', () => {
  it('keeps a distribution: the probabilities sum to one', () => {
    for (const settings of [{ temperature: 0.3 }, { topK: 5 }, { topP: 0.5 }, { minP: 0.1 }]) {
      const mass = process(settings).reduce((sum, score) => sum + Math.exp(score), 0)
      expect(mass).toBeCloseTo(1, 9)
    }
  })

  it('excludes tokens by top-k, top-p and min-p', () => {
    expect(survivors(process({ topK: 5 }))).toBe(5)
    expect(survivors(process({ topP: 0.01 }))).toBe(1)
    expect(survivors(process({ minP: 1 }))).toBe(1)
    expect(survivors(process({}))).toBe(distribution.size)
  })
})
