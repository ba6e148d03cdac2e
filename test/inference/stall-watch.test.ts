import { expect, test } from 'vitest'
import { watchStalls } from '../../src/inference/index.js'
import { ManualClock } from '../support/manual-clock.js'

/** A clock that can jump while nobody is woken: what a blocked loop looks like from inside. */
class BlockedClock extends ManualClock {
  blockedMs = 0
  override monotonic(): number {
    return super.monotonic() + this.blockedMs
  }
}

test('a stall counts for whatever was under way, before and after it was noticed, and for nothing later', async () => {
  const clock = new BlockedClock()
  const stop = new AbortController()
  const watch = watchStalls(clock, stop.signal)
  await clock.advance(100)
  const startedMs = clock.monotonic()
  expect(watch.stallSince(startedMs)).toBe(0)
  clock.blockedMs += 300
  expect(watch.stallSince(startedMs)).toBeGreaterThanOrEqual(280)
  await clock.advance(100)
  expect(watch.stallSince(startedMs)).toBeGreaterThanOrEqual(280)
  expect(watch.stallSince(clock.monotonic())).toBe(0)
  stop.abort()
})

test('ordinary delays of a few milliseconds are no stall', async () => {
  const clock = new BlockedClock()
  const stop = new AbortController()
  const watch = watchStalls(clock, stop.signal)
  for (let n = 0; n < 20; n++) {
    clock.blockedMs += 5
    await clock.advance(10)
  }
  expect(watch.stallSince(0)).toBe(0)
  stop.abort()
})

test('a stall is remembered for as long as an answer may stream', async () => {
  const clock = new BlockedClock()
  const stop = new AbortController()
  const watch = watchStalls(clock, stop.signal)
  await clock.advance(100)
  const startedMs = clock.monotonic()
  clock.blockedMs += 300
  await clock.advance(700_000)
  const secondMs = clock.monotonic()
  clock.blockedMs += 30
  await clock.advance(100)
  expect(watch.stallSince(startedMs)).toBeGreaterThanOrEqual(280)
  expect(watch.stallSince(secondMs)).toBeLessThan(280)
  stop.abort()
})
