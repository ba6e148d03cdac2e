import { describe, expect, it } from 'vitest'
import { Pace } from '../../../../src/localnet/engine/generation/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

const neverAborted = new AbortController().signal

describe('Pace', () => {
  it('keeps its schedule after a late token', async () => {
    const clock = new ManualClock()
    const pace = new Pace(clock, { tokensPerSecond: 4, timeToFirstTokenMs: 100 })
    await clock.advance(900)
    await pace.untilDue(3, neverAborted)
    expect(clock.waiting).toBe(0)
    let isDue = false
    const waiting = pace.untilDue(4, neverAborted).then(() => {
      isDue = true
    })
    await clock.advance(199)
    expect(isDue).toBe(false)
    await clock.advance(1)
    await waiting
  })

  it('makes every token due at once without a speed', async () => {
    const clock = new ManualClock()
    const pace = new Pace(clock, { tokensPerSecond: undefined, timeToFirstTokenMs: 0 })
    for (let index = 0; index < 1000; index += 100) await pace.untilDue(index, neverAborted)
    expect(clock.waiting).toBe(0)
  })

  it('rejects when the caller aborts', async () => {
    const pace = new Pace(new ManualClock(), { tokensPerSecond: 1, timeToFirstTokenMs: 0 })
    const abort = new AbortController()
    const waiting = pace.untilDue(5, abort.signal)
    abort.abort(new Error('caller left'))
    await expect(waiting).rejects.toThrow('caller left')
    await expect(pace.untilDue(6, abort.signal)).rejects.toThrow('caller left')
  })
})
