import { describe, expect, it } from 'vitest'
import {
  ago,
  countsByName,
  describeStanding,
  limitRows,
  rowsBelow,
  shortHotkey,
  span,
  writeLines,
} from '../../src/roles/status-text.js'

const S = 1000
const MIN = 60 * S
const H = 60 * MIN

describe('span', () => {
  it.each([
    [0, '0 s'],
    [8 * S + 400, '8 s'],
    [12 * MIN + 5 * S, '12 min 5 s'],
    [12 * MIN, '12 min'],
    [3 * H + 12 * MIN + 9 * S, '3 h 12 min'],
    [49 * H, '2 d 1 h'],
    [24 * H + 5 * S, '1 d'],
    [-5 * S, '0 s'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(span(ms)).toBe(text)
  })
})

it('tells how long ago a time was, or that there was none', () => {
  const now = Date.parse('2026-01-01T00:01:00Z')
  expect(ago('2026-01-01T00:00:48Z', now)).toBe('12 s ago')
  expect(ago(null, now)).toBe('never')
  expect(ago(undefined, now)).toBe('never')
})

it('counts by name, most frequent first, and says how many names are left out', () => {
  expect(countsByName({ A: 1, B: 4100, C: 3 })).toBe('B 4,100, C 3, A 1')
  expect(countsByName({ A: 1, B: 4, C: 3 }, 1)).toBe('B 4, 2 more')
  expect(countsByName({})).toBe('')
})

it('shortens hotkeys, and nothing that is short already', () => {
  expect(shortHotkey('5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty')).toBe('5FHne…94ty')
  expect(shortHotkey('5Short')).toBe('5Short')
})

it('leaves out lines without text', () => {
  expect(
    writeLines([
      ['a', 'x'],
      ['b', ''],
      ['', 'y'],
    ]),
  ).toBe('a          x\n           y')
})

it('gives a table the rows that are left on the terminal', () => {
  const formatTable = () => ''
  expect(rowsBelow('1\n2\n3', { now: 0, rows: 24, formatTable })).toBe(16)
  expect(rowsBelow('1\n2\n3', { now: 0, rows: 4, formatTable })).toBe(3)
  expect(rowsBelow('1', { now: 0, formatTable })).toBe(10)
  expect(limitRows([1, 2, 3], 2)).toEqual({ shown: [1, 2], rest: '… 1 more, see --json' })
  expect(limitRows([1, 2], 2)).toEqual({ shown: [1, 2], rest: '' })
})

it('describes the standing of either neuron, and of a hotkey that is no longer registered', () => {
  const standing = {
    ...{ stakeTao: 12_345.6, hasPermit: true, incentive: 0.01234, consensus: 0 },
    ...{ validatorTrust: 0.98765, emissionRao: 450_000_000, lastUpdateBlock: 0 },
  }
  expect(describeStanding(standing, 'miner')).toBe(
    'stake 12,346 TAO · incentive 0.0123 · emission 0.450 per epoch',
  )
  expect(describeStanding(standing, 'validator')).toBe(
    'permit · stake 12,346 TAO · trust 0.988 · emission 0.450 per epoch',
  )
  expect(describeStanding({ ...standing, hasPermit: false }, 'validator')).toMatch(/^no validator permit/)
  expect(describeStanding(null, 'miner')).toBe('not registered on the subnet')
  expect(describeStanding(undefined, 'miner')).toBe('')
})
