import { expect, test } from 'vitest'
import { watchStalls } from '../../src/inference/index.js'
import { ManualClock } from '../support/manual-clock.js'

/** A clock that can jump without waking sleepers, like a blocked event loop. */
class BlockedClock extends ManualClock {
  blockedMs = 0
  override monotonic(): number {
    return super.monotonic() + this.blockedMs
  }
}

test('reports a stall for answers it overlapped, before and after it is recorded, and not for later ones', async () => {
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

test('ignores delays of a few milliseconds', async () => {
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

test('remembers a stall for as long as an answer may stream', async () => {
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

test('a time is late only when it was taken during or right after a stall', async () => {
  const clock = new BlockedClock()
  const stop = new AbortController()
  const watch = watchStalls(clock, stop.signal)
  await clock.advance(100)
  const beforeMs = clock.monotonic()
  clock.blockedMs += 300
  // Taken in the turn that blocked: the bytes may have arrived at its beginning.
  const duringMs = clock.monotonic()
  expect(watch.delayAt(duringMs)).toBeGreaterThanOrEqual(280)
  await clock.advance(100)
  const afterMs = clock.monotonic()
  await clock.advance(1000)
  expect(watch.delayAt(duringMs)).toBeGreaterThanOrEqual(280)
  expect(watch.delayAt(beforeMs)).toBe(0)
  expect(watch.delayAt(afterMs)).toBe(0)
  stop.abort()
})

test('what arrives during one stall and is read in the next one is late by both', async () => {
  const clock = new BlockedClock()
  const stop = new AbortController()
  const watch = watchStalls(clock, stop.signal)
  await clock.advance(100)
  for (const blockedMs of [200, 100, 60]) {
    clock.blockedMs += blockedMs
    await clock.advance(10)
  }
  // Never by more: bytes wait for one turn at most.
  expect(watch.delayAt(clock.monotonic())).toBeGreaterThanOrEqual(150)
  expect(watch.delayAt(clock.monotonic())).toBeLessThan(200)
  stop.abort()
})
