import { describe, expect, test } from 'vitest'
import { createReplayMemory } from '../../src/epistula/index.js'
import { ManualClock } from '../support/manual-clock.js'

const at = (clock: ManualClock, uuid: string, skewMs = 0, signedBy = 'signer') => ({
  signedBy,
  uuid,
  timestampMs: clock.now() + skewMs,
})

/** A wall clock that can be set independently of the monotonic one. */
class SkewedClock extends ManualClock {
  offsetMs = 0
  override now(): number {
    return super.now() + this.offsetMs
  }
}

describe('createReplayMemory', () => {
  test('accepts each of 1,000 captured requests once when they are sent 101 times', async () => {
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

  test('rejects requests captured before it was created', async () => {
    const clock = new ManualClock()
    const captures = Array.from({ length: 100 }, (_, n) => at(clock, `u${n}`))
    await clock.advance(50)
    const restarted = createReplayMemory(clock)
    expect(captures.map((capture) => restarted.admit(capture))).toEqual(captures.map(() => 'BEFORE_START'))
  })

  test('rejects requests for at most two windows when the clock was ahead at the start', async () => {
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

  test('keeps a key until its timestamp has left the window, and frees it afterwards', async () => {
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

  test('rejects new requests when full, and keeps every live key', () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock, { capacity: 10 })
    for (let n = 0; n < 10; n++) expect(guard.admit(at(clock, `u${n}`))).toBe('fresh')
    expect(guard.admit(at(clock, 'one more'))).toBe('REPLAY_GUARD_FULL')
    for (let n = 0; n < 10; n++) expect(guard.admit(at(clock, `u${n}`))).toBe('REPLAYED')
  })

  test('accepts requests again once old keys have expired', async () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock, { capacity: 10 })
    for (let n = 0; n < 10; n++) guard.admit(at(clock, `u${n}`))
    await clock.advance(10_000)
    expect(guard.admit(at(clock, 'later'))).toBe('fresh')
  })

  test('allows one uuid for two signers, but not twice for one signer', () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock)
    expect(guard.admit(at(clock, 'u', 0, 'a'))).toBe('fresh')
    expect(guard.admit(at(clock, 'u', 0, 'b'))).toBe('fresh')
    expect(guard.admit(at(clock, 'u', 5, 'a'))).toBe('REPLAYED')
  })

  test('tells uuids of any length apart in bounded memory', () => {
    const clock = new ManualClock()
    const guard = createReplayMemory(clock)
    const long = 'x'.repeat(15_000)
    expect(guard.admit(at(clock, `${long}a`))).toBe('fresh')
    expect(guard.admit(at(clock, `${long}b`))).toBe('fresh')
    expect(guard.admit(at(clock, `${long}a`))).toBe('REPLAYED')
  })

  test('rejects expired requests after the wall clock was set back', async () => {
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

  test('does not expire keys early when the wall clock is set forward', async () => {
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
