import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  type ComparedAnswer,
  DEFAULT_FLOORS,
  EvidenceBook,
  noiseLevels,
  observationSchema,
  observe,
} from '../../src/evidence/index.js'

const LEVELS = noiseLevels(undefined, DEFAULT_FLOORS)
const anyNumber = fc.oneof(
  fc.double(),
  fc.constantFrom(
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    0,
    -100,
    -0.5,
    1e308,
    -1e308,
  ),
)
const column = (values: readonly number[]) => Float64Array.from(values)

/** Answers of any shape: columns of different lengths, numbers that no server sends. */
const anyAnswer = fc
  .record({
    temperature: anyNumber,
    seed: fc.oneof(fc.constant(undefined), anyNumber, fc.maxSafeInteger()),
    promptTokens: anyNumber,
    tokenIds: fc.array(anyNumber, { maxLength: 12 }),
    claimed: fc.array(anyNumber, { maxLength: 12 }),
    claimedAt: anyNumber,
    reference: fc.array(anyNumber, { maxLength: 12 }),
    isCut: fc.boolean(),
    positions: fc.array(fc.array(fc.tuple(anyNumber, anyNumber), { maxLength: 5 }), { maxLength: 12 }),
    tail: anyNumber,
    vocabularySize: anyNumber,
  })
  .map(({ positions, tail, vocabularySize, ...answer }): ComparedAnswer => {
    const starts = [0]
    for (const position of positions) starts.push((starts.at(-1) ?? 0) + position.length)
    return {
      ...answer,
      tokenIds: column(answer.tokenIds),
      claimed: column(answer.claimed),
      reference: column(answer.reference),
      top: {
        starts: column(starts),
        ids: column(positions.flat().map(([id]) => id)),
        logprobs: column(positions.flat().map(([, logprob]) => logprob)),
        tail: column(positions.map(() => tail)),
        vocabularySize,
      },
    }
  })

it('no answer gives evidence that is not a finite number, or wealth below 0', () => {
  const book = new EvidenceBook({ threshold: 1e10, cleanAnswers: 10 })
  fc.assert(
    fc.property(anyAnswer, fc.constantFrom(undefined, 'murmur3' as const), (answer, dialect) => {
      const observation = observe(answer, LEVELS, dialect)
      expect(observationSchema.safeParse(observation).success).toBe(true)
      expect(observationSchema.parse(JSON.parse(JSON.stringify(observation)))).toEqual(observation)
      book.record('hotkey', 'model', observation, 0)
      const { enforced, suspicion } = book.standing('hotkey', 'model')
      expect(enforced >= 0 && Number.isFinite(enforced)).toBe(true)
      expect(suspicion >= 0 && Number.isFinite(suspicion)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
