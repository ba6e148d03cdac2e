import { expect, test } from 'vitest'
import { type Point, testGrowth } from '../../bench/soak/growth.js'
import { createRandom } from '../../src/prompts/index.js'

const SAMPLES = 60
const MOST = 16
const SEEDS = 40

/** Heap of a process after collections: neighbours are alike, some collections leave more, and the start fills caches. */
function heapOf(seed: string, bytesPerRequest: number, requests: number, noiseBytes: number): Point[] {
  const random = createRandom(seed)
  let drift = 0
  return Array.from({ length: SAMPLES }, (_, index) => {
    const work = ((index + 1) / SAMPLES) * requests
    drift = 0.5 * drift + noiseBytes * (random.next() - 0.5)
    const left = random.next() < 0.05 ? 5 * noiseBytes : 0
    const caches = 8e6 * (1 - Math.exp(-index / 4))
    return [work, 40e6 + caches + drift + left + bytesPerRequest * work]
  })
}

function levelSeeds(bytesPerRequest: number, requests: number, noiseBytes: number): number {
  return Array.from({ length: SEEDS }, (_, seed) => {
    const points = heapOf(`${seed}`, bytesPerRequest, requests, noiseBytes)
    const random = createRandom(`resample ${seed}`)
    return testGrowth(points, { most: MOST, random: () => random.next() })
  }).filter(({ isLevel }) => isLevel).length
}

test('a heap that only the collector moves is level, with every seed', () => {
  expect(levelSeeds(0, 1_000_000, 1_000_000)).toBe(SEEDS)
  expect(levelSeeds(0, 100_000, 100_000)).toBe(SEEDS)
})

test('a leak of 100 bytes per request is found, with every seed', () => {
  expect(levelSeeds(100, 1_000_000, 1_000_000)).toBe(0)
  expect(levelSeeds(100, 100_000, 100_000)).toBe(0)
})

test('a growth below the bound is level, and so is a heap that shrinks', () => {
  expect(levelSeeds(4, 1_000_000, 100_000)).toBe(SEEDS)
  expect(levelSeeds(-20, 1_000_000, 100_000)).toBe(SEEDS)
})

test('the interval contains the slope', () => {
  const random = createRandom('interval')
  const { slope, low, high } = testGrowth(heapOf('one', 100, 1_000_000, 1_000_000), {
    most: MOST,
    random: () => random.next(),
  })
  expect(low).toBeLessThanOrEqual(slope)
  expect(high).toBeGreaterThanOrEqual(slope)
  expect(slope).toBeCloseTo(100, -1)
})

test('a constant figure is level', () => {
  const points = Array.from({ length: 30 }, (_, index) => [index + 1, 27] as const)
  expect(testGrowth(points, { most: 0, random: Math.random }).isLevel).toBe(true)
})

test('too few samples are refused', () => {
  expect(() => testGrowth([[1, 1]], { most: 1, random: Math.random })).toThrow('samples are too few')
})

test('samples after the same work have no slope between them', () => {
  const points = Array.from({ length: 40 }, (_, index) => [(index >> 1) + 1, 27] as const)
  const { slope, high, isLevel } = testGrowth(points, { most: 0, random: Math.random })
  expect([Math.abs(slope), Math.abs(high), isLevel]).toEqual([0, 0, true])
})
