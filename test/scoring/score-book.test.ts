import { expect, test } from 'vitest'
import { ScoreBook, safeMeanScore } from '../../src/scoring/index.js'

const MODEL = 'org/m'
const wanted = new Set([MODEL])

test('a hotkey that took over a uid starts empty and one that left is forgotten', () => {
  const book = new ScoreBook()
  book.record('old', MODEL, 80, 10)
  book.record('stays', MODEL, 40, 10)
  expect(book.keepOnly(new Set(['new', 'stays']))).toEqual(['old'])
  expect(book.score('new', [MODEL], wanted, 'proportional')).toBe(0)
  expect(book.score('old', [MODEL], wanted, 'proportional')).toBe(0)
  expect(book.score('stays', [MODEL], wanted, 'proportional')).toBeGreaterThan(39)
})

test('the window keeps the newest fifteen results', () => {
  const book = new ScoreBook()
  for (let index = 0; index < 40; index++) book.record('a', MODEL, index, index)
  expect(book.results('a', MODEL)).toEqual(Array.from({ length: 15 }, (_, index) => 25 + index))
})

test('models that come and go for ever do not fill the book, and one that is still asked for is never let go', () => {
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

test('only models served now and wanted count', () => {
  const book = new ScoreBook()
  book.record('a', MODEL, 50, 1)
  book.record('a', 'org/other', 70, 1)
  const one = safeMeanScore([50])
  expect(book.score('a', [MODEL, 'org/other'], wanted, 'proportional')).toBe(one)
  expect(book.score('a', [], wanted, 'proportional')).toBe(0)
  expect(book.score('a', [MODEL, 'org/other'], new Set([MODEL, 'org/other']), 'proportional')).toBe(
    one + safeMeanScore([70]),
  )
})

test('organic penalties accumulate within an epoch, pull only their miner below 0, and expire', () => {
  const book = new ScoreBook()
  book.record('a', MODEL, 50, 1)
  book.recordOrganics('a', [-500, -500], 100)
  book.recordOrganics('a', [20, null], 120)
  expect(book.score('a', [MODEL], wanted, 'targon-4')).toBeLessThan(-200)
  expect(book.score('a', [MODEL], wanted, 'proportional')).toBe(0)
  book.expireOrganics(110)
  expect(book.score('a', [MODEL], wanted, 'proportional')).toBeCloseTo(
    safeMeanScore([50]) + safeMeanScore([20, null]),
  )
})

test('a book older than an epoch keeps the newest five of each window, a fresh one everything', () => {
  const book = new ScoreBook()
  for (let index = 0; index < 15; index++) book.record('a', MODEL, index, 1000)
  expect(book.trimStale(1360, 360)).toBe(false)
  expect(book.results('a', MODEL)).toHaveLength(15)
  expect(book.trimStale(1361, 360)).toBe(true)
  expect(book.results('a', MODEL)).toEqual([10, 11, 12, 13, 14])
})

test('numbers that arithmetic cannot digest are misses', () => {
  const book = new ScoreBook()
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) book.record('a', '__proto__', value, 1)
  expect(book.results('a', '__proto__')).toEqual([null, null])
})
