import { describe, expect, it } from 'vitest'
import type { ReferencePosition } from '../../src/engine/index.js'
import { createRandom } from '../../src/prompts/index.js'
import { endOdds } from '../../src/verification/endings.js'
import {
  type AnswerComparison,
  judgeStrict,
  PROVEN_ENDINGS,
  weighEnding,
} from '../../src/verification/index.js'
import { honestComparison } from '../support/answer-comparison.js'

const END = 2
const MAX_TOKENS = 1_500

const cause = (answer: AnswerComparison) => {
  const verdict = judgeStrict(answer)
  return verdict.kind === 'failed' ? verdict.cause : verdict.kind
}

/** Twenty tokens of which the end token has this rank and logprob. */
function positionWithEnd(rank: number, logprob: number): ReferencePosition {
  const ids = Array.from({ length: 20 }, (_, index) => (index + 1 === rank ? END : 500 + index))
  const others = Math.log((1 - Math.exp(logprob)) / 19)
  return new Map(
    ids.map((id, index) => [id, { logprob: id === END ? logprob : others - 0.001 * index, rank: index + 1 }]),
  )
}

/** An honest beginning that reports a normal end where the end token has this rank and logprob. */
function endingAnswer(
  tokens: number,
  end: { rank: number; logprob: number; isSent?: boolean; temperature?: number; finish?: string },
): AnswerComparison {
  const { rank, logprob, isSent = false, temperature = 0.8, finish = 'stop' } = end
  const whole = honestComparison(`ends after ${tokens}`, { tokens, temperature })
  const position = positionWithEnd(rank, logprob)
  const answer = { ...whole, maxTokens: MAX_TOKENS, finishReason: finish }
  if (!isSent) return { ...answer, reference: { ...whole.reference, next: position } }
  return {
    ...answer,
    tokens: [...whole.tokens, { id: END, logprob }],
    reference: { positions: [...whole.reference.positions, position], next: whole.reference.next },
  }
}

describe('an early end', () => {
  it.each([12, 13, 14, 15])(
    'fails after 3 of 1,500 tokens when the end token has rank %d but no chance',
    (rank) => {
      const answer = endingAnswer(3, { rank, logprob: -33, temperature: 0.9 })
      expect(judgeStrict(answer)).toMatchObject({
        cause: 'EARLY_END',
        detail: expect.stringContaining('at most'),
      })
      expect(cause(endingAnswer(3, { rank: 1, logprob: -33 }))).toBe('EARLY_END')
    },
  )

  it.each([true, false])('is verified where an honest server may end, sent or not (%s)', (isSent) => {
    for (const logprob of [-0.01, -1, -4, -9])
      for (const temperature of [0.2, 0.8, 1.2])
        expect(
          cause(endingAnswer(40, { rank: 6, logprob: logprob * temperature, isSent, temperature })),
        ).toBe('verified')
  })

  it('carries its odds only when they are above 1', () => {
    expect(judgeStrict(endingAnswer(40, { rank: 1, logprob: -0.1 }))).toEqual({ kind: 'verified' })
    const verdict = judgeStrict(endingAnswer(40, { rank: 9, logprob: -11, temperature: 1 }))
    expect(verdict).toMatchObject({ kind: 'verified', endOdds: expect.any(Number) })
    expect(verdict).not.toHaveProperty('hasNoSpeed')
  })
})

describe('an answer of one or two tokens', () => {
  it.each([0, 1])('is verified without a speed where the model really ends, after %d tokens', (tokens) => {
    const answer = endingAnswer(tokens, { rank: 1, logprob: -0.2, isSent: true })
    expect(judgeStrict(answer)).toEqual({ kind: 'verified', hasNoSpeed: true })
  })

  it.each([0.2, 0.5, 1])(
    'is verified when its only token is certain on both sides (temperature %d)',
    (temperature) => {
      const answer = endingAnswer(0, { rank: 1, logprob: -2e-4, isSent: true, temperature })
      const certain = { ...answer, tokens: [{ id: END, logprob: 0 }] }
      expect(judgeStrict(certain)).toEqual({ kind: 'verified', hasNoSpeed: true })
    },
  )

  it('is too short where the model does not end', () => {
    expect(cause(endingAnswer(2, { rank: 14, logprob: -33 }))).toBe('TOO_SHORT')
    expect(cause(endingAnswer(1, { rank: 14, logprob: -33, isSent: true }))).toMatch(/^TOO_SHORT$|^UNLIKELY/)
    expect(cause(endingAnswer(2, { rank: 1, logprob: -0.1, finish: 'length' }))).toBe('TOO_SHORT')
  })

  it('carries the odds that it was chosen', () => {
    expect(judgeStrict(endingAnswer(1, { rank: 5, logprob: -6, temperature: 1 }))).toMatchObject({
      kind: 'verified',
      hasNoSpeed: true,
      endOdds: expect.any(Number),
    })
  })
})

describe('weighEnding', () => {
  const random = createRandom('endings')
  /** Answers until the evidence fails one; `chances` are those of ending at the first three places. */
  const run = (answers: number, chances: () => number, ends: (chance: number) => boolean) => {
    let evidence = 1
    for (let answer = 0; answer < answers; answer++) {
      let odds = 0
      for (let place = 0; place < 3 && odds === 0; place++) {
        const chance = chances()
        if (ends(chance)) odds = endOdds({ place, chance }, MAX_TOKENS)
      }
      evidence = weighEnding(evidence, odds)
      if (evidence >= PROVEN_ENDINGS) return answer
    }
    return Number.POSITIVE_INFINITY
  }

  it.each([0.9, 0.3, 0.05, 0.001, 1e-5])(
    'never accuses an honest miner whose model ends at once with probability %d',
    (chance) => {
      expect(
        run(
          100_000,
          () => chance,
          (one) => random.next() < one,
        ),
      ).toBe(Number.POSITIVE_INFINITY)
    },
  )

  it('never accuses an honest miner whose model ends at once now and then', () => {
    const chances = () => 10 ** (-6 * random.next())
    expect(run(200_000, chances, (one) => random.next() < one)).toBe(Number.POSITIVE_INFINITY)
  })

  it.each([
    [1, 1e-5, 4],
    [1, 1e-3, 8],
    [1, 0.01, 20],
    [0.2, 0.01, 200],
    [0.1, 1e-3, 100],
  ])(
    'accuses a miner that ends a share of %d of its answers where the chance is %d within %d',
    (share, chance, most) => {
      let isCheating = false
      const chances = () => {
        isCheating = random.next() < share
        return chance
      }
      expect(run(5_000, chances, () => isCheating)).toBeLessThan(most)
    },
  )

  it('keeps accusing a miner that goes on, and forgives one that stops', () => {
    const odds = endOdds({ place: 1, chance: 0.01 }, MAX_TOKENS)
    let evidence = PROVEN_ENDINGS
    for (let answer = 0; answer < 5; answer++) evidence = weighEnding(evidence)
    expect(weighEnding(weighEnding(evidence, odds), odds)).toBe(PROVEN_ENDINGS)
    for (let answer = 0; answer < 300; answer++) evidence = weighEnding(evidence)
    expect(evidence).toBe(1)
  })
})
