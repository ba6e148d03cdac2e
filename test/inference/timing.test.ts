import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAnswerReader, type ReaderOptions } from '../../src/inference/answer-reader.js'
import { NON_STREAMED } from '../../src/inference/index.js'
import { isBurst, measureBurst, measureRate, TARGON_4_BURST_RULE } from '../../src/inference/timing.js'
import { chatChunk } from '../support/stream-server.js'

/** Arrival times of 200 tokens in an answer of ten seconds. */
const shapes: Record<string, number[]> = {
  even: Array.from({ length: 200 }, (_, n) => 50 * (n + 1)),
  'all at the end': Array.from({ length: 200 }, (_, n) => 9800 + n),
  'a few early, the rest at the end': Array.from({ length: 200 }, (_, n) =>
    n < 15 ? 50 * (n + 1) : 9800 + n,
  ),
  'all at the start': Array.from({ length: 200 }, (_, n) => n),
  'in ten bursts': Array.from({ length: 200 }, (_, n) => 1000 * (Math.floor(n / 20) + 1)),
}

function read(times: readonly number[], options: Partial<ReaderOptions> = {}) {
  const rules = { endpoint: 'chat', maxTokens: 1000, rules: 'strict', burst: TARGON_4_BURST_RULE } as const
  const reader = createAnswerReader({ ...rules, ...options })
  for (const atMs of times) reader.accept(1000 + atMs, chatChunk('a', 1))
  return reader.finish(1000, 11_000, undefined)
}

describe('an answer made first and streamed later', () => {
  test.each([
    ['even', undefined, 0.015],
    ['all at the end', NON_STREAMED, 0.505],
    ['a few early, the rest at the end', undefined, 0.505],
    ['all at the start', undefined, 0.505],
    ['in ten bursts', undefined, 0.1],
  ])('%s: old rule %s, burst share %d', (shape, detail, share) => {
    for (const rules of ['strict', 'targon-4'] as const) {
      const reading = read(shapes[shape] ?? [], { rules })
      expect(reading.fault?.detail).toBe(detail)
      expect(reading.burstShare).toBeCloseTo(share, 2)
    }
  })

  test('without a rule it is reported and not failed, under both readings', () => {
    for (const rules of ['strict', 'targon-4'] as const) {
      const reading = read(shapes['all at the end'] ?? [], { burst: undefined, rules })
      expect(reading).toMatchObject({ fault: undefined })
      expect(reading.burstShare).toBeGreaterThan(0.5)
    }
  })

  test('short answers are never judged', () => {
    const late = (count: number) => ({
      start: 0,
      first: 99,
      end: 100,
      tokens: new Array<number>(count).fill(99),
    })
    expect(isBurst(late(60))).toBe(false)
    expect(isBurst(late(61))).toBe(true)
  })
})

describe('measureRate', () => {
  test('no more tokens count than were asked for, and no time is no speed', () => {
    expect(measureRate(200, 50, 10)).toBe(5)
    expect(measureRate(20, 50, 10)).toBe(2)
    expect(measureRate(20, 50, 0)).toBe(0)
  })
})

describe('measureBurst', () => {
  test('finds the fullest window as trying all of them does', () => {
    const times = fc.array(fc.nat({ max: 2000 }), { minLength: 1, maxLength: 50 })
    fc.assert(
      fc.property(times, (unsorted) => {
        const sorted = [...unsorted].sort((a, b) => a - b)
        const most = Math.max(
          ...sorted.map((from) => sorted.filter((at) => at >= from && at - from <= 100).length),
        )
        expect(measureBurst(sorted)).toBeCloseTo(most / sorted.length, 12)
      }),
    )
  })
})

describe('one timing for live and recorded answers', () => {
  test('first token, rest and total add up, and the rate is over the total', () => {
    const reading = read([250, 500, 750])
    expect(reading.timing).toEqual({ timeToFirstTokenMs: 250, timeForAllTokensMs: 9750, totalMs: 10_000 })
    expect(reading.tokensPerSecond).toBeCloseTo(0.3, 12)
  })

  test('an answer without a token has no first token: its whole time is waiting', () => {
    expect(read([]).timing).toEqual({ timeToFirstTokenMs: 10_000, timeForAllTokensMs: 0, totalMs: 10_000 })
  })
})
