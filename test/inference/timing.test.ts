import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
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

describe('isBurst', () => {
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

  test('never judges answers of up to 60 tokens', () => {
    const late = (count: number) => ({
      start: 0,
      first: 99,
      end: 100,
      tokens: new Array<number>(count).fill(99),
    })
    expect(isBurst(late(60), STRICT_BURST_RULE)).toBe(false)
    expect(isBurst(late(61), STRICT_BURST_RULE)).toBe(true)
  })

  test('fails no honest answer that waited, where 4.4.1 fails a third', () => {
    expect(shareCaught(queued)).toBe(0)
    expect(shareCaught(queued, TARGON_4_BURST_RULE)).toBeGreaterThan(0.3)
  })

  test('detects all but one in fifty of the bursts that 4.4.1 detects', () => {
    expect(shareCaught(burst)).toBeGreaterThan(shareCaught(burst, TARGON_4_BURST_RULE) - 0.02)
    expect(shareCaught(burst)).toBeGreaterThan(0.85)
  })

  test('never fails under strict what passes 4.4.1', () => {
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

  describe('for a fast model', () => {
    /** Measured on a real vLLM with a small model on a free machine: 81 tokens in 514 ms, the first after 470. */
    const fast: Moments = {
      ...{ start: 0, first: 470, end: 514 },
      tokens: Array.from({ length: 81 }, (_, index) => 470 + (index * 44) / 80),
    }
    const isFailed = (moments: Moments, setting: number, measured?: number) => {
      const rule = burstRuleOf(setting, measured)
      return rule !== null && isBurst(moments, rule)
    }

    test('passes an answer that streams about as fast as the model was measured to', () => {
      expect(isFailed(fast, 500)).toBe(true)
      expect(isFailed(fast, 500, 700)).toBe(false)
      expect(isFailed(fast, 500, 1_800)).toBe(false)
    })

    test('still fails what was written at once', () => {
      const written = { ...fast, tokens: fast.tokens.map((_, index) => 510 + index / 20) }
      expect(isFailed(written, 500, 1_800)).toBe(true)
    })

    test('keeps the setting as the least, and 0 as the rule of 4.4.1', () => {
      expect(burstRuleOf(500, 40)?.minTokensPerSecond).toBe(500)
      expect(burstRuleOf(0, 1_800)?.minTokensPerSecond).toBe(0)
      expect(burstRuleOf('off', 1_800)).toBeNull()
    })
  })

  test('compares the speed in tokens per second for any unit of the moments', () => {
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
  test('counts at most max_tokens, and is 0 when no time passed', () => {
    expect(measureRate(200, 50, 10)).toBe(5)
    expect(measureRate(20, 50, 10)).toBe(2)
    expect(measureRate(20, 50, 0)).toBe(0)
  })
})

describe('measureBurst', () => {
  test('finds the fullest window like a brute-force search', () => {
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
