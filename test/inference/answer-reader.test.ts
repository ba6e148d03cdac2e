import { describe, expect, test } from 'vitest'
import { createAnswerReader, type ReaderOptions } from '../../src/inference/answer-reader.js'
import { NON_STREAMED } from '../../src/inference/index.js'
import { STRICT_BURST_RULE } from '../../src/inference/timing.js'
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

describe('createAnswerReader', () => {
  test.each([
    ['even', undefined, 0.015],
    ['all at the end', NON_STREAMED, 0.505],
    ['a few early, the rest at the end', undefined, 0.505],
    ['all at the start', undefined, 0.505],
    ['in ten bursts', undefined, 0.1],
  ])('detects answers generated first and streamed later: %s, %s, burst share %d', (shape, detail, share) => {
    for (const rules of ['strict', 'targon-4'] as const) {
      const content = read(shapes[shape] ?? [], { rules })
      expect(content.fault?.detail).toBe(detail)
      expect(content.burstShare).toBeCloseTo(share, 2)
    }
  })

  test('reports such an answer without failing it when there is no rule, under both rule sets', () => {
    for (const rules of ['strict', 'targon-4'] as const) {
      const content = read(shapes['all at the end'] ?? [], { burst: undefined, rules })
      expect(content).toMatchObject({ fault: undefined })
      expect(content.burstShare).toBeGreaterThan(0.5)
    }
  })

  test('measures times that add up, and the rate over the total', () => {
    const content = read([250, 500, 750])
    expect(content.timing).toEqual({ timeToFirstTokenMs: 250, timeForAllTokensMs: 9750, totalMs: 10_000 })
    expect(content.tokensPerSecond).toBeCloseTo(0.3, 12)
  })

  test('counts the whole time as waiting when there is no token', () => {
    expect(read([]).timing).toEqual({ timeToFirstTokenMs: 10_000, timeForAllTokensMs: 0, totalMs: 10_000 })
  })
})
