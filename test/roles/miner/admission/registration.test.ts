import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { watchRegistration } from '../../../../src/roles/miner/admission/registration.js'
import { createFakeSubtensor, neuronOf } from '../../../support/fake-subtensor.js'
import { ManualClock } from '../../../support/manual-clock.js'

describe('registration', () => {
  let stop: AbortController
  beforeEach(() => {
    stop = new AbortController()
  })
  afterEach(() => stop.abort())

  it('expires two hours after the last successful refresh, not the last attempt, and recovers', async () => {
    const clock = new ManualClock()
    const subtensor = createFakeSubtensor([neuronOf({ uid: 0, hotkey: 'us' })])
    const records: Record<string, unknown>[] = []
    const log = pino({ base: null }, { write: (line) => void records.push(JSON.parse(line)) })
    const registration = await watchRegistration({
      subtensor,
      netuid: 4,
      hotkey: 'us',
      refreshMs: 300_000,
      clock,
      log,
      signal: stop.signal,
    })
    await clock.advance(300_000)
    subtensor.failure = new Error('chain away')
    await clock.advance(2 * 3_600_000)
    expect(registration.isExpired()).toBe(false)
    await clock.advance(1)
    expect(registration.isExpired()).toBe(true)
    expect(records.filter(({ event }) => event === 'metagraph-refresh-failed').length).toBeGreaterThan(20)
    subtensor.failure = undefined
    await clock.advance(300_000)
    expect(registration.isExpired()).toBe(false)
    subtensor.neurons = []
    await clock.advance(300_000)
    expect(registration.self()).toBeUndefined()
    expect(records.at(-1)).toMatchObject({ level: 50, event: 'hotkey-deregistered' })
  })

  it('logs the standing at info when it changes, otherwise at debug', async () => {
    const clock = new ManualClock()
    const subtensor = createFakeSubtensor([neuronOf({ uid: 0, hotkey: 'us', incentive: 0.25 })])
    const levels: number[] = []
    const write = (line: string) => void levels.push(JSON.parse(line).level)
    const log = pino({ base: null, level: 'debug' }, { write })
    await watchRegistration({
      ...{ subtensor, netuid: 4, hotkey: 'us', refreshMs: 30_000, clock, log, signal: stop.signal },
    })
    await clock.advance(30_000)
    await clock.advance(30_000)
    subtensor.neurons = [neuronOf({ uid: 0, hotkey: 'us', incentive: 0.5 })]
    await clock.advance(30_000)
    await clock.advance(30_000)
    expect(levels).toEqual([30, 20, 20, 30, 20])
  })
})
