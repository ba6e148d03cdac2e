import fc from 'fast-check'
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

  test('forgets what waits for a verdict on models that are long gone', () => {
    const book = new ScoreBook()
    for (let index = 0; index <= 128; index++) {
      book.leaveUnchecked('a', `org/m${index}`, 10, index)
      book.sitOut('a', `org/m${index}`, 10, index)
    }
    expect(book.settleUnchecked('a', 'org/m0', 10)).toEqual([])
    expect(book.settleSatOut('a', 'org/m0', 10)).toEqual([])
    expect(book.settleUnchecked('a', 'org/m1', 10)).toEqual([10])
    expect(book.settleSatOut('a', 'org/m1', 10)).toEqual([10])
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
    // Only the hub says so: it takes a tenth of what our own rounds show.
    expect(book.score('a', [MODEL], active, 'proportional')).toBeCloseTo(0.9 * safeMeanScore([50]))
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

describe('organic results', () => {
  test('move a score no further from what our own rounds show than the bounds say, whatever the hub reports', () => {
    const speed = fc.double({ min: 0, max: 500, noNaN: true })
    const result = fc.option(speed, { nil: null })
    const organic = fc.oneof(result, fc.constantFrom(-500, -100, 64_000, Number.MAX_VALUE))
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(
        fc.array(result, { maxLength: 15 }),
        fc.array(organic, { maxLength: 20 }),
        share,
        share,
        (window, organics, maxPenalty, maxSpeedRatio) => {
          const book = new ScoreBook({ maxPenalty, maxSpeedRatio })
          for (const one of window) book.record('a', MODEL, one, 1)
          const own = book.score('a', [MODEL], active, 'proportional')
          book.recordOrganics('a', organics, 1)
          const score = book.score('a', [MODEL], active, 'proportional')
          expect(score).toBeGreaterThanOrEqual(own * (1 - maxPenalty) - 1e-9)
          expect(score).toBeLessThanOrEqual(own * (1 + maxSpeedRatio) + 1e-9)
        },
      ),
    )
  })
})

describe('rounds that a miner sits out while its stream is open', () => {
  const scoreOf = (book: ScoreBook) => book.score('a', [MODEL], active, 'proportional')
  const bookOf = (results: readonly (number | null)[]) => {
    const book = new ScoreBook()
    for (const result of results) book.record('a', MODEL, result, 1)
    return book
  }
  const sitOut = (book: ScoreBook, rounds: number, speed: number) => {
    for (let round = 0; round < rounds; round++) book.sitOut('a', MODEL, speed, 2)
  }

  test('bring the score down to what the stream is worth, also across a restart', () => {
    const book = bookOf(new Array(15).fill(100))
    sitOut(book, 5, 0.25)
    expect(scoreOf(book)).toBeCloseTo((10 * 100 + 5 * 0.25) / 15, 0)
    sitOut(book, 20, 0.23)
    expect(scoreOf(book)).toBeLessThan(0.24)
    const again = ScoreBook.from(book.toData())
    expect(scoreOf(again)).toBe(scoreOf(book))
    expect(again.results('a', MODEL)).toHaveLength(15)
  })

  test('become misses when the verdict fails, the speed when it is verified, and stay as they are when the fault is ours', () => {
    const held = () => {
      const book = bookOf(new Array(15).fill(100))
      sitOut(book, 6, 10)
      return book
    }
    const failed = held()
    expect(failed.settleSatOut('a', MODEL, null)).toEqual(new Array(6).fill(null))
    expect(failed.results('a', MODEL).slice(-7)).toEqual([100, ...new Array(6).fill(null)])
    const verified = held()
    expect(verified.settleSatOut('a', MODEL, 8)).toEqual(new Array(6).fill(8))
    expect(verified.results('a', MODEL).slice(-7)).toEqual([100, ...new Array(6).fill(8)])
    const ours = held()
    const before = scoreOf(ours)
    expect(ours.settleSatOut('a', MODEL, 'speed so far')).toEqual(new Array(6).fill(10))
    expect(scoreOf(ours)).toBe(before)
    expect(ours.settleSatOut('a', MODEL, null)).toEqual([])
  })

  test('never raise a score while no verdict confirms their speed', () => {
    const result = fc.option(fc.double({ min: 0, max: 200, noNaN: true }), { nil: null })
    fc.assert(
      fc.property(
        fc.array(result, { maxLength: 20 }),
        fc.array(fc.double({ min: 0, max: 5000 }), { maxLength: 20 }),
        (results, speeds) => {
          const book = bookOf(results)
          const before = scoreOf(book)
          for (const speed of speeds) {
            book.sitOut('a', MODEL, speed, 2)
            expect(scoreOf(book)).toBeLessThanOrEqual(before)
          }
          const open = scoreOf(book)
          expect(scoreOf(ScoreBook.from(book.toData()))).toBe(open)
          book.settleSatOut('a', MODEL, 'speed so far')
          expect(scoreOf(book)).toBe(open)
        },
      ),
    )
  })

  test('cost a miner that is as slow as it always was nothing', () => {
    const book = bookOf([7, 7, 7, 7])
    const before = scoreOf(book)
    for (let round = 0; round < 40; round++) {
      book.sitOut('a', MODEL, 7 + 1 / (round + 1), 2)
      expect(scoreOf(book)).toBe(before)
    }
    book.settleSatOut('a', MODEL, 7)
    expect(scoreOf(book)).toBe(before)
  })
})

describe('answers that are not checked', () => {
  const bookOf = (speed = 100) => {
    const book = new ScoreBook()
    for (let result = 0; result < 15; result++) book.record('a', MODEL, speed, 1)
    return book
  }
  const leave = (book: ScoreBook, ...speeds: readonly number[]) => {
    for (const speed of speeds) book.leaveUnchecked('a', MODEL, speed, 2)
  }

  test('never raise the score by themselves, and count with their own speeds once a later one is verified', () => {
    const book = bookOf()
    leave(book, 9000, 95, 80)
    expect(book.results('a', MODEL)).toEqual(new Array(15).fill(100))
    // no faster than what a verdict has confirmed
    expect(book.settleUnchecked('a', MODEL, 90)).toEqual([100, 95, 80])
    expect(book.results('a', MODEL).slice(-4)).toEqual([100, 100, 95, 80])
  })

  test('become misses, as many as the window has room for, when the later one fails', () => {
    const book = bookOf()
    leave(book, ...new Array<number>(20).fill(9000))
    expect(book.settleUnchecked('a', MODEL, null)).toHaveLength(15)
    expect(book.results('a', MODEL)).toEqual(new Array(15).fill(null))
  })

  test('pull the score down by their own speeds only, not by that of the last one', () => {
    const book = bookOf()
    leave(book, ...new Array<number>(13).fill(100), 5)
    expect(book.results('a', MODEL).slice(-2)).toEqual([100, 5])
    expect(book.results('a', MODEL).filter((result) => result === 5)).toHaveLength(1)
    expect(ScoreBook.from(book.toData()).results('a', MODEL)).toEqual(book.results('a', MODEL))
  })

  test('are kept apart from rounds sat out', () => {
    const book = bookOf()
    leave(book, 50, 40)
    expect(book.hasSatOut('a', MODEL)).toBe(false)
    book.sitOut('a', MODEL, 10, 2)
    expect(book.hasSatOut('a', MODEL)).toBe(true)
    expect(book.results('a', MODEL).slice(-4)).toEqual([100, 50, 40, 10])
    expect(book.settleSatOut('a', MODEL, null)).toEqual([null])
    expect(book.settleUnchecked('a', MODEL, 60)).toEqual([50, 40])
  })

  test('never pay a miner more than answers that were all checked at its best verified speed', () => {
    const speed = fc.double({ min: 0, max: 5000, noNaN: true })
    fc.assert(
      fc.property(speed, fc.array(speed, { minLength: 1, maxLength: 20 }), (verified, speeds) => {
        const book = new ScoreBook()
        book.record('a', MODEL, verified, 1)
        const before = book.score('a', [MODEL], new Set([MODEL]), 'proportional')
        leave(book, ...speeds)
        expect(book.score('a', [MODEL], new Set([MODEL]), 'proportional')).toBeLessThanOrEqual(before)
        book.settleUnchecked('a', MODEL, verified)
        for (const result of book.results('a', MODEL)) expect(result).toBeLessThanOrEqual(verified)
      }),
    )
  })
})
