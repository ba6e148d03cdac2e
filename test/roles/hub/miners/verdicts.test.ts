import { describe, expect, it } from 'vitest'
import { createVerdicts } from '../../../../src/roles/hub/miners/verdicts.js'
import { ManualClock } from '../../../support/manual-clock.js'

const HOUR = 3_600_000

/** Verdicts of validators with these parts of the stake. */
function book(stakes: Readonly<Record<string, number>>) {
  const clock = new ManualClock()
  const verdicts = createVerdicts(clock, (validator) => stakes[validator] ?? 0)
  const note = (validator: string, isVerified: boolean, times = 1, isOrganic = false) => {
    for (let count = 0; count < times; count++)
      verdicts.note({ hotkey: 'm', model: 'x', validator, isVerified, isOrganic })
  }
  return { clock, note, verified: () => verdicts.verified('m', 'x') }
}

describe('verdicts of validators', () => {
  it('are unknown before the first report, and per miner and model', () => {
    const { note, verified } = book({ v: 1 })
    expect(verified()).toBeUndefined()
    note('v', true)
    expect(verified()).toBe(1)
  })

  it('do not condemn a miner for a single failure', () => {
    const { note, verified } = book({ v: 1 })
    note('v', false)
    expect(verified()).toBeCloseTo(2 / 3, 9)
    note('v', false, 9)
    expect(verified()).toBeLessThan(0.2)
  })

  it('count by stake: a validator with a fifth of it takes away a fifth at most', () => {
    const { note, verified } = book({ liar: 0.2, honest: 0.8 })
    note('liar', false, 1000)
    expect(verified()).toBeGreaterThan(0.8)
    note('honest', false, 1000)
    expect(verified()).toBeLessThan(0.01)
  })

  it('on answers to users are not made up for by answers to validators, nor the other way round', () => {
    for (const isOrganic of [true, false]) {
      const { note, verified } = book({ v: 1 })
      note('v', true, 1000, !isOrganic)
      expect(verified()).toBe(1)
      note('v', false, 19, isOrganic)
      expect(verified()).toBeLessThan(0.4)
    }
  })

  it('leave a miner that cheats users some requests until evidence can bar it', () => {
    const { note, verified } = book({ v: 1 })
    const shares = Array.from({ length: 10 }, () => {
      note('v', false, 1, true)
      return verified() ?? 1
    })
    expect(shares.slice(0, 9).every((share) => share > 0.5)).toBe(true)
    expect(shares.at(-1)).toBe(0.5)
  })

  it('of a hotkey without a say change nothing', () => {
    const { note, verified } = book({ v: 1 })
    note('stranger', false, 1000)
    expect(verified()).toBeUndefined()
  })

  it('lose half their weight in six hours, and are forgotten at last', async () => {
    const { clock, note, verified } = book({ v: 1 })
    note('v', false, 8)
    expect(verified()).toBeCloseTo(0.2, 9)
    await clock.advance(12 * HOUR)
    expect(verified()).toBeCloseTo(0.5, 9)
    await clock.advance(24 * HOUR)
    expect(verified()).toBeUndefined()
  })
})
