import { describe, expect, it } from 'vitest'
import { createBreaker } from '../../src/kernel/breaker.js'
import { ManualClock } from '../support/manual-clock.js'

function make(random = 0.5) {
  const clock = new ManualClock()
  return {
    clock,
    breaker: createBreaker({
      clock,
      random: () => random,
      threshold: 3,
      firstPauseMs: 1000,
      longestPauseMs: 4000,
    }),
  }
}

describe('breaker', () => {
  it('opens only after consecutive failures: a success resets the count', () => {
    const { breaker } = make()
    for (const step of [breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed])
      step()
    expect(breaker.state()).toBe('closed')
    breaker.failed()
    expect(breaker.state()).toBe('open')
    expect(breaker.allows()).toBe(false)
  })

  it('lets exactly one probe through after its pause, and closes when it succeeds', async () => {
    const { clock, breaker } = make()
    for (let failure = 0; failure < 3; failure++) breaker.failed()
    await clock.advance(999)
    expect(breaker.allows()).toBe(false)
    await clock.advance(1)
    expect(breaker.state()).toBe('half-open')
    breaker.begin()
    expect(breaker.allows()).toBe(false)
    breaker.succeeded()
    expect(breaker.allows()).toBe(true)
    expect(breaker.state()).toBe('closed')
  })

  it('doubles the pause after each failed probe, up to its bound', async () => {
    const { clock, breaker } = make()
    for (let failure = 0; failure < 3; failure++) breaker.failed()
    for (const pauseMs of [1000, 2000, 4000, 4000]) {
      await clock.advance(pauseMs - 1)
      expect(breaker.allows()).toBe(false)
      await clock.advance(1)
      expect(breaker.allows()).toBe(true)
      breaker.begin()
      breaker.failed()
    }
  })

  it('offers the probe again when a caller abandons it', async () => {
    const { clock, breaker } = make()
    for (let failure = 0; failure < 3; failure++) breaker.failed()
    await clock.advance(1000)
    breaker.begin()
    breaker.abandoned()
    expect(breaker.allows()).toBe(true)
  })

  it('jitters its pause by ±50 %', async () => {
    for (const [random, pauseMs] of [
      [0, 500],
      [0.999, 1499],
    ] as const) {
      const { clock, breaker } = make(random)
      for (let failure = 0; failure < 3; failure++) breaker.failed()
      await clock.advance(pauseMs - 1)
      expect(breaker.allows()).toBe(false)
      await clock.advance(2)
      expect(breaker.allows()).toBe(true)
    }
  })

  it('does not pause longer when calls already in flight fail too', async () => {
    const { clock, breaker } = make()
    for (let failure = 0; failure < 7; failure++) breaker.failed()
    await clock.advance(1000)
    expect(breaker.allows()).toBe(true)
  })

  it('keeps its pauses exact without a random source', async () => {
    const clock = new ManualClock()
    const breaker = createBreaker({ clock, threshold: 1, firstPauseMs: 2000 })
    breaker.failed()
    await clock.advance(1999)
    expect(breaker.allows()).toBe(false)
    await clock.advance(1)
    expect(breaker.allows()).toBe(true)
  })
})
