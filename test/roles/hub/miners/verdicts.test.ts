import { describe, expect, it } from 'vitest'
import { createVerdicts } from '../../../../src/roles/hub/miners/verdicts.js'
import { ManualClock } from '../../../support/manual-clock.js'

const HOUR = 3_600_000

/** Verdicts of validators with these parts of the stake. */
function book(stakes: Readonly<Record<string, number>>) {
  const clock = new ManualClock()
  const verdicts = createVerdicts(clock, { say: (validator) => stakes[validator] ?? 0, lists: () => true })
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

  it('of a validator count from the time on at which it has a say', () => {
    const stakes: Record<string, number> = {}
    const { note, verified } = book(stakes)
    note('v', false, 1000)
    stakes.v = 1
    expect(verified()).toBeUndefined()
  })

  it('are taken from a new validator when others that no longer have a say fill the place', () => {
    const stakes: Record<string, number> = {}
    const { note, verified } = book(stakes)
    for (let count = 0; count < 256; count++) {
      stakes[`old ${count}`] = 0.5
      note(`old ${count}`, true)
      stakes[`old ${count}`] = 0
    }
    stakes.v = 1
    note('v', false)
    expect(verified()).toBeCloseTo(2 / 3, 9)
  })
})

describe('what is kept of verdicts', () => {
  /** One validator, and miners that list what `listed` says. */
  function shelf(listed: Record<string, ReadonlySet<string>>) {
    const lists = (hotkey: string, model: string) => listed[hotkey]?.has(model) ?? false
    const verdicts = createVerdicts(new ManualClock(), { say: () => 1, lists })
    const note = (hotkey: string, model: string) =>
      verdicts.note({ hotkey, model, validator: 'v', isVerified: false, isOrganic: true })
    return { verdicts, note }
  }

  it('is of models that a miner lists, or that it listed when they were reported first', () => {
    const listed: Record<string, ReadonlySet<string>> = { m: new Set(['a']) }
    const { verdicts, note } = shelf(listed)
    note('stranger', 'a')
    note('m', 'b')
    note('m', 'a')
    listed.m = new Set(['b'])
    const before = verdicts.verified('m', 'a') ?? 0
    note('m', 'a')
    expect(verdicts.verified('m', 'a')).toBeLessThan(before)
    expect(verdicts.verified('m', 'b')).toBeUndefined()
    listed.stranger = new Set(['a'])
    expect(verdicts.verified('stranger', 'a')).toBeUndefined()
  })

  it('makes room for the models of a full list only at the cost of models that the same miner gave up', () => {
    const listed: Record<string, ReadonlySet<string>> = { m: new Set(['a', 'b']), n: new Set(['a']) }
    const { verdicts, note } = shelf(listed)
    note('n', 'a')
    note('m', 'a')
    note('m', 'b')
    listed.m = new Set(['a', ...Array.from({ length: 511 }, (_, index) => `x${index}`)])
    for (const model of listed.m) note('m', model)
    expect(verdicts.verified('m', 'b')).toBeUndefined()
    for (const model of listed.m) expect(verdicts.verified('m', model)).toBeDefined()
    expect(verdicts.verified('n', 'a')).toBeDefined()
  })

  it('is forgotten with the miner', () => {
    const { verdicts, note } = shelf({ m: new Set(['a']), n: new Set(['a']) })
    note('m', 'a')
    note('n', 'a')
    verdicts.keepOnly(new Set(['n']))
    expect(verdicts.verified('m', 'a')).toBeUndefined()
    expect(verdicts.verified('n', 'a')).toBeDefined()
  })
})
