import { describe, expect, test } from 'vitest'
import { createReplayMemory } from '../../src/epistula/index.js'
import { ManualClock } from '../support/manual-clock.js'

const at = (clock: ManualClock, uuid: string, skewMs = 0, signedBy = 'signer') => ({
  signedBy,
  uuid,
  timestampMs: clock.now() + skewMs,
})

/** A wall clock that can be set while the monotonic one goes on. */
class SkewedClock extends ManualClock {
  offsetMs = 0
  override now(): number {
    return super.now() + this.offsetMs
  }
}

describe('createReplayMemory', () => {
  test('1,000 captures sent 100 times more are accepted exactly once each', async () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock)
    const captures = Array.from({ length: 1000 }, (_, n) => at(clock, `u${n}`, n % 8000))
    let accepted = 0
    for (let round = 0; round <= 100; round++) {
      for (const capture of captures) if (guard.admit(capture) === 'fresh') accepted++
      await clock.advance(150)
    }
    expect(accepted).toBe(1000)
  })

  test('captures of an earlier process are refused by a new one', async () => {
    const clock = new ManualClock()
    const captures = Array.from({ length: 100 }, (_, n) => at(clock, `u${n}`))
    await clock.advance(50)
    const restarted = createReplayMemory(clock)
    expect(captures.map((capture) => restarted.admit(capture))).toEqual(captures.map(() => 'BEFORE_START'))
  })

  test('a clock that was ahead at the start locks nobody out longer than a copy could live', async () => {
    const clock = new SkewedClock()
    clock.offsetMs = 3_600_000
    const guard = createReplayMemory(clock)
    clock.offsetMs = 0
    await clock.advance(16_000)
    expect(guard.admit(at(clock, 'early'))).toBe('BEFORE_START')
    await clock.advance(1)
    const one = at(clock, 'late')
    expect(guard.admit(one)).toBe('fresh')
    expect(guard.admit(one)).toBe('REPLAYED')
  })

  test('a key lives until its timestamp has left the window, and no memory is kept afterwards', async () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock)
    const early = at(clock, 'future', 8000)
    guard.admit(early)
    await clock.advance(15_999)
    expect(guard.admit(early)).toBe('REPLAYED')
    await clock.advance(3000)
    guard.admit(at(clock, 'other'))
    expect(guard.size).toBe(1)
  })

  test('a full store refuses new requests and keeps every live key', () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock, { capacity: 10 })
    for (let n = 0; n < 10; n++) expect(guard.admit(at(clock, `u${n}`))).toBe('fresh')
    expect(guard.admit(at(clock, 'one more'))).toBe('REPLAY_GUARD_FULL')
    for (let n = 0; n < 10; n++) expect(guard.admit(at(clock, `u${n}`))).toBe('REPLAYED')
  })

  test('a full store takes requests again once old keys have expired', async () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock, { capacity: 10 })
    for (let n = 0; n < 10; n++) guard.admit(at(clock, `u${n}`))
    await clock.advance(10_000)
    expect(guard.admit(at(clock, 'later'))).toBe('fresh')
  })

  test('two signers may use one uuid; one signer may not, whatever the timestamp', () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock)
    expect(guard.admit(at(clock, 'u', 0, 'a'))).toBe('fresh')
    expect(guard.admit(at(clock, 'u', 0, 'b'))).toBe('fresh')
    expect(guard.admit(at(clock, 'u', 5, 'a'))).toBe('REPLAYED')
  })

  test('uuids of any length take bounded memory and stay distinct', () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock)
    const long = 'x'.repeat(15_000)
    expect(guard.admit(at(clock, `${long}a`))).toBe('fresh')
    expect(guard.admit(at(clock, `${long}b`))).toBe('fresh')
    expect(guard.admit(at(clock, `${long}a`))).toBe('REPLAYED')
  })

  test('a wall clock set back does not revive forgotten requests', async () => {
    const clock = new SkewedClock()
    const guard = createReplayMemory(clock)
    await clock.advance(3_600_000)
    const capture = at(clock, 'u')
    expect(guard.admit(capture)).toBe('fresh')
    await clock.advance(60_000)
    guard.admit(at(clock, 'sweeps'))
    clock.offsetMs = -60_000
    expect(guard.admit(capture)).toBe('REPLAYED')
  })

  test('a wall clock set forward does not forget early', async () => {
    const clock = new SkewedClock()
    const guard = createReplayMemory(clock)
    const capture = at(clock, 'u')
    guard.admit(capture)
    clock.offsetMs = 3_600_000
    guard.admit(at(clock, 'sweeps'))
    clock.offsetMs = 0
    expect(guard.admit(capture)).toBe('REPLAYED')
  })
})
