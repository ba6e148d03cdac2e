import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseEra } from '../../src/chain/signed-extrinsic.js'

const head = (number: number) => ({ number, hash: `0x${number}` })

describe('chooseEra', () => {
  it('ends before the next epoch, and is long enough to land', () => {
    const blocks = fc.record({
      best: fc.nat(1_000_000),
      lag: fc.nat(2000),
      left: fc.integer({ min: -5, max: 400 }),
    })
    fc.assert(
      fc.property(blocks, ({ best, lag, left }) => {
        const untilBlock = best + left
        const era = chooseEra(head(best), head(Math.max(0, best - lag)), untilBlock)
        if (left >= 14) expect(era).toBeDefined()
        if (!era) return
        const { birth, period } = era
        expect(birth.number + period).toBeLessThanOrEqual(untilBlock)
        expect(birth.number + period).toBeGreaterThan(best + 1)
        expect(Math.log2(period) % 1).toBe(0)
      }),
    )
  })

  it('starts at the newest finalized block, or at the head when finality lags', () => {
    expect(chooseEra(head(100), head(97))).toMatchObject({ birth: { number: 97 }, period: 64 })
    expect(chooseEra(head(1000), head(900))).toMatchObject({ birth: { number: 1000 }, period: 64 })
  })
})
