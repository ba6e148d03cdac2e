import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAnswerReader, type ReaderOptions } from '../../src/inference/answer-reader.js'
import { NON_STREAMED } from '../../src/inference/index.js'
import {
  burstRuleOf,
  isBurst,
  type Moments,
  measureBurst,
  measureRate,
  STRICT_BURST_RULE,
  TARGON_4_BURST_RULE,
} from '../../src/inference/timing.js'
import { createRandom } from '../../src/prompts/index.js'
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
  const rules = {
    endpoint: 'chat',
    maxTokens: 1000,
    tokenLimit: 1064,
    rules: 'strict',
    burst: STRICT_BURST_RULE,
  } as const
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
  ])('%s: %s, burst share %d', (shape, detail, share) => {
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
    expect(isBurst(late(60), STRICT_BURST_RULE)).toBe(false)
    expect(isBurst(late(61), STRICT_BURST_RULE)).toBe(true)
  })
})

describe('a queue is no burst', () => {
  /** Generated at 30 … 200 tokens/s and written out within 5 … 300 ms. */
  const burst = (u: Uniform) => answer(u, (tokens) => [tokens / u(30, 200), u(0.005, 0.3)])
  /** Streamed at 30 … 400 tokens/s after a wait of 1 … 11 s. */
  const queued = (u: Uniform) => answer(u, (tokens) => [u(1, 11), tokens / u(30, 400)])
  const shareCaught = (make: (u: Uniform) => Moments, rule = STRICT_BURST_RULE) => {
    const random = createRandom('queues')
    const u: Uniform = (from, to) => from + (to - from) * random.next()
    const all = Array.from({ length: 4_000 }, () => make(u))
    return all.filter((moments) => isBurst(moments, rule)).length / all.length
  }

  test('no honest answer fails for having waited, where 4.4.1’s test fails a third', () => {
    expect(shareCaught(queued)).toBe(0)
    expect(shareCaught(queued, TARGON_4_BURST_RULE)).toBeGreaterThan(0.3)
  })

  test('bursts are caught as before but for one in fifty', () => {
    expect(shareCaught(burst)).toBeGreaterThan(shareCaught(burst, TARGON_4_BURST_RULE) - 0.02)
    expect(shareCaught(burst)).toBeGreaterThan(0.85)
  })

  test('strict never fails what 4.4.1 would not', () => {
    const gaps = fc.array(fc.oneof(fc.nat(3), fc.nat(300)), { minLength: 61, maxLength: 200 })
    fc.assert(
      fc.property(gaps, fc.nat(20_000), fc.nat(500), (between, waitMs, afterMs) => {
        let at = waitMs
        const tokens = between.map((gap) => {
          at += gap
          return at
        })
        const moments = { start: 0, first: tokens[0], end: at + afterMs, tokens }
        if (isBurst(moments, STRICT_BURST_RULE)) expect(isBurst(moments, TARGON_4_BURST_RULE)).toBe(true)
      }),
    )
  })

  test('the speed counts in tokens per second whatever the unit of the moments', () => {
    const tokens = Array.from({ length: 101 }, (_, index) => 10_000 + 2.5 * index)
    const inMs = { start: 0, first: tokens[0], end: 10_250, tokens }
    const inSeconds = { start: 0, first: 10, end: 10.25, tokens: tokens.map((ms) => ms / 1000) }
    for (const [rule, expected] of [
      [burstRuleOf(399), true],
      [burstRuleOf(401), false],
    ] as const) {
      expect(rule && isBurst(inMs, rule)).toBe(expected)
      expect(rule && isBurst(inSeconds, rule, 1000)).toBe(expected)
    }
    expect(burstRuleOf('off')).toBeNull()
  })
})

type Uniform = (from: number, to: number) => number

/** 61 … 512 tokens, evenly over a span in seconds after a wait. */
function answer(u: Uniform, spans: (tokens: number) => readonly [waitS: number, spanS: number]): Moments {
  const count = Math.floor(u(61, 513))
  const [waitS, spanS] = spans(count)
  const tokens = Array.from({ length: count }, (_, index) => 1000 * (waitS + (spanS * (index + 1)) / count))
  return { start: 0, first: tokens[0], end: tokens.at(-1) ?? 0, tokens }
}

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
