import fc from 'fast-check'
import { expect, test } from 'vitest'
import { weightsFrom } from '../../src/scoring/index.js'

const scores = fc
  .dictionary(
    fc.nat(255).map(String),
    fc.oneof(fc.double(), fc.constant(0), fc.double({ min: -600, max: 200 })),
  )
  .map((byUid) => new Map(Object.entries(byUid).map(([uid, score]) => [Number(uid), score])))

test('weightsFrom gives weights from 0 to 1 with the best at 1, or nothing with a reason, for any scores', () => {
  fc.assert(
    fc.property(scores, (given) => {
      const vector = weightsFrom(given, 'proportional')
      if (vector.kind === 'nothing') {
        expect([...given.values()].some((score) => Number.isFinite(score) && score > 0)).toBe(false)
        return
      }
      expect(Math.max(...vector.weights)).toBe(1)
      expect(vector.weights.every((weight) => weight >= 0 && weight <= 1)).toBe(true)
      expect(vector.uids).toEqual([...vector.uids].sort((a, b) => a - b))
    }),
  )
})

test('weightsFrom does not change other weights for a penalty of one miner', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1, max: 200, noNaN: true }), { minLength: 2, maxLength: 40 }),
      fc.double({ min: -500, max: 0, noNaN: true }),
      (values, penalty) => {
        const before = weightsFrom(new Map([...values, 0].entries()), 'proportional')
        const after = weightsFrom(new Map([...values, penalty].entries()), 'proportional')
        expect(after).toEqual(before)
      },
    ),
  )
})

test('weightsFrom gives proportional and targon-4 weights alike when the lowest score is 0', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1, max: 200, noNaN: true }), { minLength: 1, maxLength: 40 }),
      (values) => {
        const given = new Map([0, ...values].entries())
        expect(weightsFrom(given, 'proportional')).toEqual(weightsFrom(given, 'targon-4'))
      },
    ),
  )
})

test('weightsFrom handles one miner, equal scores, no scores and negative scores', () => {
  expect(weightsFrom(new Map([[7, 3]]), 'proportional')).toEqual({ kind: 'weights', uids: [7], weights: [1] })
  expect(
    weightsFrom(
      new Map([
        [1, 5],
        [2, 5],
      ]),
      'proportional',
    ),
  ).toMatchObject({ weights: [1, 1] })
  expect(weightsFrom(new Map(), 'proportional').kind).toBe('nothing')
  expect(
    weightsFrom(
      new Map([
        [1, -5],
        [2, Number.NaN],
      ]),
      'proportional',
    ).kind,
  ).toBe('nothing')
  expect(
    weightsFrom(
      new Map([
        [1, 5],
        [2, 5],
      ]),
      'targon-4',
    ),
  ).toMatchObject({ reason: 'all scores are equal' })
})
