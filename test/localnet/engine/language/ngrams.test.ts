import { describe, expect, it } from 'vitest'
import { Ngrams } from '../../../../src/localnet/engine/language/ngrams.js'

const VOCABULARY_SIZE = 100
const documents = [
  [1, 2, 3],
  [1, 2, 3],
  [1, 2, 4],
  [5, 2, 6],
]

describe('Ngrams', () => {
  it('ranks the tokens that followed a context by their counts', () => {
    const { ids, logProbabilities } = new Ngrams(documents, 3, VOCABULARY_SIZE).candidatesAfter([1, 2])
    expect([...ids.slice(0, 2)]).toEqual([3, 4])
    expect(ids).toHaveLength(64)
    expect([...logProbabilities]).toEqual([...logProbabilities].sort((a, b) => b - a))
  })

  it('distinguishes contexts by their longest part within its order', () => {
    const firstChoice = (order: number) =>
      new Ngrams(documents, order, VOCABULARY_SIZE).candidatesAfter([5, 2]).ids[0]
    expect(firstChoice(3)).toBe(6)
    expect(firstChoice(2)).toBe(3)
  })

  it('falls back on single-token probabilities after an unknown context', () => {
    const ngrams = new Ngrams(documents, 3, VOCABULARY_SIZE)
    expect(ngrams.candidatesAfter([99]).ids[0]).toBe(2)
    const all = Array.from({ length: VOCABULARY_SIZE }, (_, id) => ngrams.probabilityOf(id))
    expect(all.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(1, 9)
  })
})
