import { describe, expect, test } from 'vitest'
import { ScoreBook, safeMeanScore } from '../../src/scoring/index.js'

const MODEL = 'org/m'
const active = new Set([MODEL])

describe('ScoreBook', () => {
  test('starts empty for a new hotkey and removes one that left', () => {
    const book = new ScoreBook()
    book.record('old', MODEL, 80, 10)
    book.record('stays', MODEL, 40, 10)
    expect(book.keepOnly(new Set(['new', 'stays']))).toEqual(['old'])
    expect(book.score('new', [MODEL], active, 'proportional')).toBe(0)
    expect(book.score('old', [MODEL], active, 'proportional')).toBe(0)
    expect(book.score('stays', [MODEL], active, 'proportional')).toBeGreaterThan(39)
  })

  test('keeps the newest fifteen results of a window', () => {
    const book = new ScoreBook()
    for (let index = 0; index < 40; index++) book.record('a', MODEL, index, index)
    expect(book.results('a', MODEL)).toEqual(Array.from({ length: 15 }, (_, index) => 25 + index))
  })

  test('stays bounded while the model list keeps changing, and keeps a model still in use', () => {
    const book = new ScoreBook()
    for (let index = 0; index < 1000; index++) {
      book.record('a', `org/m${index}`, 1, index)
      book.record('a', MODEL, 50, index)
    }
    const again = ScoreBook.from(book.toData())
    for (const one of [book, again]) {
      expect(one.models('a')).toHaveLength(128)
      expect(one.results('a', MODEL)).toHaveLength(15)
      expect(one.results('a', 'org/m999')).toEqual([1])
      expect(one.results('a', 'org/m0')).toEqual([])
    }
  })

  test('counts only models that are served and active', () => {
    const book = new ScoreBook()
    book.record('a', MODEL, 50, 1)
    book.record('a', 'org/other', 70, 1)
    const one = safeMeanScore([50])
    expect(book.score('a', [MODEL, 'org/other'], active, 'proportional')).toBe(one)
    expect(book.score('a', [], active, 'proportional')).toBe(0)
    expect(book.score('a', [MODEL, 'org/other'], new Set([MODEL, 'org/other']), 'proportional')).toBe(
      one + safeMeanScore([70]),
    )
  })

  test('accumulates organic penalties within an epoch, below 0 for their miner only, and expires them', () => {
    const book = new ScoreBook()
    book.record('a', MODEL, 50, 1)
    book.recordOrganics('a', [-500, -500], 100)
    book.recordOrganics('a', [20, null], 120)
    expect(book.score('a', [MODEL], active, 'targon-4')).toBeLessThan(-200)
    expect(book.score('a', [MODEL], active, 'proportional')).toBe(0)
    book.expireOrganics(110)
    expect(book.score('a', [MODEL], active, 'proportional')).toBeCloseTo(
      safeMeanScore([50]) + safeMeanScore([20, null]),
    )
  })

  test('cuts windows to the newest five when it is older than an epoch', () => {
    const book = new ScoreBook()
    for (let index = 0; index < 15; index++) book.record('a', MODEL, index, 1000)
    expect(book.trimStale(1360, 360)).toBe(false)
    expect(book.results('a', MODEL)).toHaveLength(15)
    expect(book.trimStale(1361, 360)).toBe(true)
    expect(book.results('a', MODEL)).toEqual([10, 11, 12, 13, 14])
  })

  test('turns NaN and infinities into misses', () => {
    const book = new ScoreBook()
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) book.record('a', '__proto__', value, 1)
    expect(book.results('a', '__proto__')).toEqual([null, null])
  })
})
