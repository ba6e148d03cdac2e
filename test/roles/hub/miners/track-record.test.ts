import { describe, expect, it } from 'vitest'
import { createTrackRecord } from '../../../../src/roles/hub/miners/track-record.js'
import { ManualClock } from '../../../support/manual-clock.js'

const record = (clock = new ManualClock()) => createTrackRecord(clock, () => 0.5)
const answered = (tokens: number, streamedMs: number) =>
  ({ kind: 'answered', firstTokenMs: 100, tokens, streamedMs }) as const

describe('the track record of a miner', () => {
  it('counts requests in flight, each ended once', () => {
    const miner = record()
    const [one, two] = [miner.begin('m'), miner.begin('m')]
    expect(miner.inFlight).toBe(2)
    one.end({ kind: 'abandoned' })
    one.end({ kind: 'failed' })
    two.end(answered(1, 0))
    expect(miner).toMatchObject({ inFlight: 0, answered: 1, failed: 0 })
  })

  it('averages the speed of answers that are long enough, per model', () => {
    const miner = record()
    miner.begin('m').end(answered(101, 1000))
    expect(miner.speed('m')).toEqual({ firstTokenMs: 100, tokensPerSecond: 100 })
    miner.begin('m').end(answered(201, 1000))
    expect(miner.speed('m').tokensPerSecond).toBeCloseTo(120, 9)
    miner.begin('m').end(answered(2, 1))
    expect(miner.speed('m').tokensPerSecond).toBeCloseTo(120, 9)
    expect(miner.speed('other')).toEqual({})
  })

  it('excludes a miner that keeps failing, and tries it again with one request', async () => {
    const clock = new ManualClock()
    const miner = record(clock)
    for (let count = 0; count < 3; count++) miner.begin('m').end({ kind: 'failed' })
    expect(miner.allows()).toBe(false)
    await clock.advance(1100)
    expect(miner.allows()).toBe(true)
    const probe = miner.begin('m')
    expect(miner.allows()).toBe(false)
    probe.end(answered(1, 0))
    expect(miner).toMatchObject({ failed: 3 })
    expect(miner.allows()).toBe(true)
  })

  it('learns nothing from a miner that was busy or that a user left', () => {
    const miner = record()
    for (let count = 0; count < 9; count++) miner.begin('m').end({ kind: 'abandoned' })
    expect(miner.allows()).toBe(true)
  })
})
