import { expect, test } from 'vitest'
import { slopeOf } from '../../bench/slope.js'

test('the slope of a line is its own', () => {
  expect(slopeOf([1, 2, 3, 4].map((x) => [x, 5 + 3 * x] as const))).toBe(3)
  expect(slopeOf([1, 2, 3].map((x) => [x, 7] as const))).toBe(0)
})

test('a few outliers do not change the slope', () => {
  const points = Array.from({ length: 20 }, (_, x) => [x, x === 4 || x === 17 ? 1e6 : 2 * x] as const)
  expect(slopeOf(points)).toBe(2)
})

test('fewer than two points have no slope', () => {
  expect(slopeOf([[1, 1]])).toBeNaN()
})
