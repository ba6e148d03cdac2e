import { describe, expect, it } from 'vitest'
import { DEVELOPMENT_MODELS, loadModel } from '../../../../src/localnet/engine/language/index.js'
import { chatPrompt } from '../samples.js'

const models = DEVELOPMENT_MODELS.map(loadModel)

describe('Distribution', () => {
  it('gives every id a probability, and they sum to one', () => {
    for (const model of models) {
      const context = model.start()
      for (const id of chatPrompt(model, 1)) {
        context.push(id)
        const logprobs = context.next().logprobs()
        expect(logprobs.length).toBe(model.tokenizer.size)
        expect(logprobs.reduce((sum, logprob) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 9)
        expect(Math.max(...logprobs)).toBeLessThan(0)
      }
    }
  })

  it('ranks ids in the order of their probabilities, in head and tail', () => {
    const [model] = models
    const context = model!.start()
    for (const id of chatPrompt(model!, 2)) context.push(id)
    const distribution = context.next()
    const logprobs = distribution.logprobs()
    for (const [index, id] of distribution.top(model!.tokenizer.size).entries()) {
      expect(distribution.rankOf(id)).toBe(index + 1)
      expect(distribution.logprobOf(id)).toBe(logprobs[id])
    }
    expect(distribution.logprobOf(model!.tokenizer.size)).toBe(Number.NEGATIVE_INFINITY)
  })
})
