import { describe, expect, it } from 'vitest'
import { Pace } from '../../../../src/localnet/engine/generation/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

const forever = new AbortController().signal

describe('pace', () => {
  it('does not drift: tokens after a late one are due when they always were', async () => {
    const clock = new ManualClock()
    const pace = new Pace(clock, { tokensPerSecond: 4, timeToFirstTokenMs: 100 })
    await clock.advance(900)
    await pace.untilDue(3, forever)
    expect(clock.waiting).toBe(0)
    let isDue = false
    const waiting = pace.untilDue(4, forever).then(() => {
      isDue = true
    })
    await clock.advance(199)
    expect(isDue).toBe(false)
    await clock.advance(1)
    await waiting
  })

  it('without a speed everything is due at once', async () => {
    const clock = new ManualClock()
    const pace = new Pace(clock, { tokensPerSecond: undefined, timeToFirstTokenMs: 0 })
    for (let index = 0; index < 1000; index += 100) await pace.untilDue(index, forever)
    expect(clock.waiting).toBe(0)
  })

  it('ends with the caller', async () => {
    const pace = new Pace(new ManualClock(), { tokensPerSecond: 1, timeToFirstTokenMs: 0 })
    const abort = new AbortController()
    const waiting = pace.untilDue(5, abort.signal)
    abort.abort(new Error('gone'))
    await expect(waiting).rejects.toThrow('gone')
    await expect(pace.untilDue(6, abort.signal)).rejects.toThrow('gone')
  })
})
