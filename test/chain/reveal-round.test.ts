import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstRevealBlock, revealRound } from '../../src/chain/reveal-round.js'

describe('firstRevealBlock and revealRound', () => {
  const base = { netuid: 4, revealPeriod: 1 }
  const stateful = { pendingEpochAt: 0, epochIndex: 7, blocksSinceLastStep: 0 }
  it.each([
    ['in the next epoch', { tempo: 50, head: 10, stateful: { ...stateful, lastEpochBlock: 10 } }, 60],
    [
      'in a pending epoch',
      { tempo: 20, head: 91, stateful: { ...stateful, lastEpochBlock: 80, pendingEpochAt: 95 } },
      95,
    ],
    [
      'one epoch later, when the commit lands on a boundary',
      { tempo: 20, head: 99, stateful: { ...stateful, lastEpochBlock: 80 } },
      120,
    ],
  ])('reveal %s', (_, state, block) => {
    expect(firstRevealBlock({ ...base, ...state })).toBe(block)
  })

  it('fail instead of searching endlessly when the subnet has no epochs', () => {
    expect(() => firstRevealBlock({ ...base, tempo: 0, head: 1 })).toThrow(RangeError)
  })

  it('reveal at the start of a later epoch by the old formula', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 10_000_000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.nat({ max: 200 }),
        (head, tempo, revealPeriod, netuid) => {
          const block = firstRevealBlock({ netuid, head, tempo, revealPeriod })
          expect((block + netuid + 1) % (tempo + 1)).toBe(0)
          expect(block).toBeGreaterThan(head)
          expect(block - head).toBeLessThanOrEqual((tempo + 1) * revealPeriod + 1)
        },
      ),
    )
  })

  it('choose the round published three blocks into the reveal epoch', () => {
    const state = { ...base, tempo: 50, head: 10, stateful: { ...stateful, lastEpochBlock: 10 } }
    const beacon = { genesisSeconds: 1_000, periodSeconds: 3 }
    // 53 blocks of 12 s after second 10,000 is 10,636.
    expect(revealRound(state, 10_000, 12, beacon)).toEqual({ round: 3212, block: 60 })
    expect(revealRound(state, 0, 0.25, beacon).round).toBe(1)
  })
})
