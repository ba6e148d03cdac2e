import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DIALECTS } from '../../../src/evidence/index.js'
import { positionState, seedWords, tokenGumbel } from '../../../src/evidence/samplers/index.js'
import type { Case } from '../../conformance/checker.js'
import { differences } from '../../conformance/checkers/seeded-sampling.js'

const { murmur3, philox }: Record<string, Case[]> = JSON.parse(
  readFileSync(new URL('../../fixtures/seeded-sampling.json', import.meta.url), 'utf8'),
)

describe('sampler noise', () => {
  it.each(murmur3 ?? [])('is that of vLLM 0.32 for seed $seed at position $position', (testCase) => {
    expect(differences(testCase, 2e-5)).toEqual([])
  })

  it.each(philox ?? [])('is that of vLLM 0.20 to 0.30 for seed $seed at position $position', (testCase) => {
    expect(differences(testCase, 2e-5)).toEqual([])
  })

  it('differs from the noise of the next position, token and seed', () => {
    for (const dialect of DIALECTS) {
      const noise = (seed: number, position: number, id: number) =>
        tokenGumbel(dialect, positionState(dialect, seedWords(seed), position), id)
      const all = [noise(7, 3, 5), noise(7, 4, 5), noise(7, 3, 6), noise(8, 3, 5), noise(7 + 2 ** 32, 3, 5)]
      expect(new Set(all).size).toBe(all.length)
    }
  })

  it('is finite and looks like Gumbel noise for every dialect', () => {
    for (const dialect of DIALECTS) {
      const state = positionState(dialect, seedWords(42), 9)
      const noise = Array.from({ length: 20_000 }, (_, id) => tokenGumbel(dialect, state, id))
      expect(noise.every(Number.isFinite)).toBe(true)
      // Mean: Euler's constant; standard deviation of the mean 1.28/√20,000.
      expect(noise.reduce((sum, value) => sum + value, 0) / noise.length).toBeCloseTo(0.577, 1)
    }
  })
})

describe('seedWords', () => {
  it('splits a seed into unsigned words, as a 64-bit integer', () => {
    expect(seedWords(2 ** 33 + 5)).toEqual({ low: 5, high: 2 })
    expect(seedWords(-1)).toEqual({ low: 0xffffffff, high: 0xffffffff })
  })
})
