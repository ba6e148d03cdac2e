import { expect, it } from 'vitest'
import { createRecentCounts } from '../../src/alerts/index.js'
import { ManualClock } from '../support/manual-clock.js'

it('counts labels by key over the last while', async () => {
  const clock = new ManualClock()
  const counts = createRecentCounts(clock, 900_000)
  counts.note('a', 'served')
  await clock.advance(600_000)
  counts.note('a', 'failed')
  counts.note('b', 'failed')
  expect(Object.fromEntries(counts.of('a'))).toEqual({ served: 1, failed: 1 })
  expect(Object.fromEntries(counts.of())).toEqual({ served: 1, failed: 2 })
  await clock.advance(300_000)
  expect(Object.fromEntries(counts.of('a'))).toEqual({ failed: 1 })
  await clock.advance(900_000)
  expect(counts.of().size).toBe(0)
})

it('keeps a bounded number of keys, because callers choose them', () => {
  const counts = createRecentCounts(new ManualClock(), 900_000)
  for (let number = 0; number < 10_000; number++) counts.note(`${number}`, 'failed')
  expect(counts.of().get('failed')).toBe(512)
})
