import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planWeights } from '../../src/chain/plan-weights.js'
import { convertWeights, processWeights } from '../../src/chain/process-weights.js'

interface GoldenCase {
  name: string
  uids: number[]
  weights: number[]
  n: number
  min_allowed_weights: number
  max_weights_limit_u16: number
  process_uids: number[]
  process_weights: number[]
  emit_uids: number[]
  emit_vals: number[]
}

/** Computed with the SDK's weight_utils.py (see `source` in the file). */
const golden: { cases: GoldenCase[] } = JSON.parse(
  readFileSync(new URL('../fixtures/chain/weights-golden.json', import.meta.url), 'utf8'),
)

describe('processWeights and convertWeights', () => {
  it.each(golden.cases)('match the SDK: $name', (c) => {
    const processed = processWeights(
      { uids: c.uids, weights: c.weights },
      {
        neuronCount: c.n,
        minAllowedWeights: c.min_allowed_weights,
        maxWeightLimit: c.max_weights_limit_u16 / 65_535,
      },
    )
    expect(processed.uids).toEqual(c.process_uids)
    expect(processed.weights).toEqual(c.process_weights)
    const entries = convertWeights(processed)
    expect(entries.map(({ uid }) => uid)).toEqual(c.emit_uids)
    expect(entries.map(({ weightU16 }) => weightU16)).toEqual(c.emit_vals)
  })

  it.each([
    ['lists of different length', [1, 2], [1]],
    ['empty lists', [], []],
    ['a negative weight', [1], [-1]],
    ['NaN', [1], [Number.NaN]],
    ['a negative uid', [-1], [1]],
  ])('reject %s', (_, uids, weights) => {
    expect(() => convertWeights({ uids, weights })).toThrow(RangeError)
  })
})

const limits = { neuronCount: 256, minAllowedWeights: 1, maxWeightLimit: 1 }

describe('planWeights', () => {
  it.each([
    ['no scores', [], []],
    ['all zero', [1, 2], [0, 0]],
    ['all negative or not finite', [1, 2, 3], [-1, Number.NaN, Number.POSITIVE_INFINITY]],
    ['only uids that are not on the subnet', [256, 1000], [1, 1]],
  ])('skips: %s', (_, uids, scores) => {
    expect(planWeights(uids, scores, limits)).toMatchObject({ kind: 'skip', reason: 'nothing-scorable' })
  })

  it('skips instead of padding when there are fewer weights than the subnet requires', () => {
    expect(planWeights([1, 2], [1, 1], { ...limits, minAllowedWeights: 3 })).toMatchObject({
      kind: 'skip',
      reason: 'too-few-weights',
    })
  })

  it('allows fewer weights than the minimum on a smaller subnet', () => {
    const plan = planWeights([0, 1], [1, 0.5], { neuronCount: 2, minAllowedWeights: 8, maxWeightLimit: 1 })
    expect(plan).toEqual({
      kind: 'submit',
      entries: [
        { uid: 0, weightU16: 65_535 },
        { uid: 1, weightU16: 32_768 },
      ],
    })
  })

  it('gives equal scores equal weights', () => {
    expect(planWeights([5, 3], [7, 7], limits)).toEqual({
      kind: 'submit',
      entries: [
        { uid: 3, weightU16: 65_535 },
        { uid: 5, weightU16: 65_535 },
      ],
    })
  })

  it('keeps the order and gives the best score 65535, for any scores', () => {
    const score = fc.oneof(
      fc.double(),
      fc.double({ min: 0, max: 1 }),
      fc.constantFrom(0, -1, 1e-300, 1e300, Number.NaN),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 300 }), score), { maxLength: 64 }), (pairs) => {
        const plan = planWeights(
          pairs.map(([uid]) => uid),
          pairs.map(([, value]) => value),
          limits,
        )
        const first = new Map<number, number>()
        for (const [uid, value] of pairs) {
          if (uid < 256 && Number.isFinite(value) && value > 0 && !first.has(uid)) first.set(uid, value)
        }
        if (first.size === 0) {
          expect(plan.kind).toBe('skip')
          return
        }
        if (plan.kind !== 'submit') throw new Error('expected a vector')
        const { entries } = plan
        expect(Math.max(...entries.map(({ weightU16 }) => weightU16))).toBe(65_535)
        expect(new Set(entries.map(({ uid }) => uid)).size).toBe(entries.length)
        for (const a of entries) {
          expect(first.has(a.uid)).toBe(true)
          for (const b of entries) {
            if ((first.get(a.uid) ?? 0) > (first.get(b.uid) ?? 0)) {
              expect(a.weightU16).toBeGreaterThanOrEqual(b.weightU16)
            }
          }
        }
      }),
    )
  })
})
