import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Candidate,
  capGroups,
  pickShare,
  qualityOf,
  sharesOf,
} from '../../../../src/roles/hub/miners/choice.js'

const limits = { coldkeyShare: 1 / 3, trickle: 0.02 }

const miner = (facts: Partial<Candidate> = {}): Candidate => ({
  coldkey: 'a',
  incentive: 0.1,
  verified: 1,
  tokensPerSecond: undefined,
  firstTokenMs: undefined,
  inFlight: 0,
  ...facts,
})

const anyMiner = fc.record<Candidate>({
  coldkey: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  incentive: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
  verified: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
  tokensPerSecond: fc.option(fc.double({ min: 0, max: 1000, noNaN: true }), { nil: undefined }),
  firstTokenMs: fc.option(fc.double({ min: 0, max: 60_000, noNaN: true }), { nil: undefined }),
  inFlight: fc.nat(1000),
})
const anyMiners = fc.array(anyMiner, { maxLength: 40 })
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

describe('the shares of miners', () => {
  it('are numbers from 0 to 1 that add up to 1, or are all 0', () => {
    fc.assert(
      fc.property(anyMiners, (miners) => {
        const shares = sharesOf(miners, limits)
        expect(shares).toHaveLength(miners.length)
        for (const share of shares) expect(share).toBeGreaterThanOrEqual(0)
        const total = sum(shares)
        if (total > 0) expect(total).toBeCloseTo(1, 9)
      }),
    )
  })

  it('never exceed the cap of a coldkey while others can take the rest', () => {
    fc.assert(
      fc.property(anyMiners, (miners) => {
        const shares = sharesOf(miners, limits)
        const totals = new Map<string, number>()
        for (const [index, { coldkey }] of miners.entries())
          totals.set(coldkey, (totals.get(coldkey) ?? 0) + (shares[index] ?? 0))
        const wanted = [...totals.values()].filter((total) => total > 0)
        const cap = Math.max(limits.coldkeyShare, 1 / wanted.length)
        for (const total of wanted) expect(total).toBeLessThanOrEqual(cap + 1e-9)
      }),
    )
  })

  it('are 0 for a miner whose answers validators find false, as long as it is not new', () => {
    fc.assert(
      fc.property(anyMiners, fc.double({ min: 0, max: 0.5, noNaN: true }), (others, verified) => {
        const [share] = sharesOf([miner({ verified, incentive: 1 }), ...others], limits)
        expect(share).toBe(0)
      }),
    )
  })

  it('fall with the requests in flight and with worse speed', () => {
    const [busy = 0, idle = 0] = sharesOf([miner({ inFlight: 3 }), miner({ coldkey: 'b' })], {
      ...limits,
      coldkeyShare: 1,
    })
    expect(idle / busy).toBeCloseTo(4, 9)
    const [slow = 0, fast = 0] = sharesOf(
      [miner({ tokensPerSecond: 50 }), miner({ coldkey: 'b', tokensPerSecond: 100 })],
      { ...limits, coldkeyShare: 1 },
    )
    expect(fast / slow).toBeCloseTo(2, 9)
  })

  it('give new miners the trickle together, and everything when there are no others', () => {
    const fresh = ['n1', 'n2'].map((coldkey) => miner({ coldkey, incentive: 0, verified: undefined }))
    const known = ['a', 'b', 'c'].map((coldkey) => miner({ coldkey }))
    const shares = sharesOf([...fresh, ...known], limits)
    expect(sum(shares.slice(0, 2))).toBeCloseTo(0.02, 9)
    expect(sum(sharesOf(fresh, limits))).toBeCloseTo(1, 9)
    expect(sharesOf([], limits)).toEqual([])
  })
})

it('a cap for groups gives the surplus to the others in proportion', () => {
  expect(capGroups([0.8, 0.15, 0.05], ['a', 'b', 'c'], 0.5)).toEqual([
    0.5,
    expect.closeTo(0.375, 9),
    expect.closeTo(0.125, 9),
  ])
  expect(capGroups([1, 0], ['a', 'b'], 0.3)).toEqual([1, 0])
})

it('quality falls from full trust at 90 % verified to none at 50 %, and with incentive', () => {
  expect(qualityOf({ verified: 0.95, incentive: 0.2 }, 0.2)).toBe(1)
  expect(qualityOf({ verified: 0.7, incentive: 0.2 }, 0.2)).toBeCloseTo(0.5, 9)
  expect(qualityOf({ verified: 0.5, incentive: 0.2 }, 0.2)).toBe(0)
  expect(qualityOf({ verified: undefined, incentive: 0 }, 0.2)).toBe(0.25)
  expect(qualityOf({ verified: undefined, incentive: 0 }, 0)).toBe(1)
})

describe('picking by share', () => {
  it('falls on each index as often as its share says, never on 0', () => {
    const counts = [0, 0, 0]
    for (let step = 0; step < 1000; step++) {
      const index = pickShare([0.5, 0, 0.5], step / 1000)
      if (index !== undefined) counts[index] = (counts[index] ?? 0) + 1
    }
    expect(counts).toEqual([500, 0, 500])
  })

  it('finds none where nothing is shared', () => {
    expect(pickShare([0, 0], 0.5)).toBeUndefined()
    expect(pickShare([], 0)).toBeUndefined()
  })
})
