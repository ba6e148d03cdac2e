import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyTemperature,
  at,
  findToken,
  likeliestLogprob,
  logprobAtTemperature,
} from '../../src/evidence/index.js'
import { collectTopTokens } from '../../src/verification/distributions.js'

const TOP_K = 5

/** A whole distribution over at least ten tokens, likeliest first. */
const distribution = fc
  .array(fc.double({ min: -12, max: 0, noNaN: true }), { minLength: 10, maxLength: 40 })
  .map((logits) => {
    const sorted = [...logits].sort((a, b) => b - a)
    const logSum = Math.log(sorted.reduce((sum, logit) => sum + Math.exp(logit), 0))
    return sorted.map((logit) => logit - logSum)
  })

/** The position as the engine returns it: the top K and the token at `extra`, in any order. */
function positionOf(logprobs: readonly number[], extra: number) {
  const entries = logprobs.map((logprob, id) => [id, { logprob, rank: id + 1 }] as const)
  return new Map(entries.filter(([id]) => id < TOP_K || id === extra).reverse())
}

describe('collectTopTokens', () => {
  it('sorts the top K by logprob and drops the extra token', () => {
    const logprobs = [-0.5, -1.5, -2, -3, -3.5, -9]
    const top = collectTopTokens([positionOf(logprobs, 5), new Map()], TOP_K, 100)
    expect([...top.starts]).toEqual([0, 5, 5])
    expect([...top.ids.subarray(0, 5)]).toEqual([0, 1, 2, 3, 4])
    expect([findToken(top, 0, 3), findToken(top, 0, 5)]).toEqual([3, -1])
    expect([likeliestLogprob(top, 0), likeliestLogprob(top, 1)]).toEqual([-0.5, 0])
    expect(at(top.tail, 1)).toBe(1)
  })
})

describe('applyTemperature', () => {
  it('adds up to 1 with the tail at every temperature', () => {
    fc.assert(
      fc.property(distribution, fc.double({ min: 0.1, max: 2, noNaN: true }), (logprobs, temperature) => {
        const top = collectTopTokens([positionOf(logprobs, 7)], TOP_K, logprobs.length)
        const { probabilities, tail } = applyTemperature(top, 1 / temperature)
        const sum = probabilities.subarray(0, TOP_K).reduce((total, probability) => total + probability, 0)
        expect(sum + at(tail, 0)).toBeCloseTo(1, 9)
      }),
    )
  })

  it('bounds the logprob that the whole distribution gives a token', () => {
    fc.assert(
      fc.property(distribution, fc.double({ min: 0.2, max: 2, noNaN: true }), (logprobs, temperature) => {
        const top = collectTopTokens([positionOf(logprobs, 7)], TOP_K, logprobs.length)
        const tempered = applyTemperature(top, 1 / temperature)
        const powers = logprobs.map((logprob) => Math.exp(logprob / temperature))
        const logSum = Math.log(powers.reduce((sum, power) => sum + power, 0))
        for (const [id, logprob] of logprobs.slice(0, TOP_K).entries()) {
          const { low, high } = logprobAtTemperature(logprob, tempered, 0)
          const actual = (logprobs[id] ?? 0) / temperature - logSum
          expect(actual).toBeGreaterThanOrEqual(low - 1e-6)
          expect(actual).toBeLessThanOrEqual(high + 1e-6)
        }
      }),
    )
  })
})
