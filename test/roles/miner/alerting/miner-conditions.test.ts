import { describe, expect, it } from 'vitest'
import { TargonError } from '../../../../src/kernel/index.js'
import { createModelEnds, isServed, minerConditions } from '../../../../src/roles/miner/alerting/index.js'
import type { Outcome, UpstreamReport } from '../../../../src/routing/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

const { signal } = new AbortController()
const IMPLAUSIBLE = new TargonError('The subnet changed.', { code: 'CHAIN_IMPLAUSIBLE', fault: 'chain' })

function setup() {
  const clock = new ManualClock()
  const ends = createModelEnds(clock)
  const state = {
    self: {} as unknown,
    isExpired: false,
    failure: undefined as unknown,
    models: ['org/a', 'org/b'],
    upstreams: [] as UpstreamReport[],
    isReachable: true,
    admitted: 0,
    restarts: 0,
  }
  const conditions = minerConditions({
    ...{ clock, ends, hotkey: '5Hot', netuid: 4, idleMs: 1_800_000 },
    registration: {
      self: () => state.self,
      isExpired: () => state.isExpired,
      failure: () => state.failure,
    },
    router: { models: () => state.models, report: () => state.upstreams },
    isReplayStoreReachable: () => state.isReachable,
    workerRestarts: () => state.restarts,
    admitted: () => state.admitted,
  })
  /** The conditions that find something. */
  const found = async () => {
    const lists = await Promise.all(
      conditions.map(async ({ id, look }) => (await look(signal)).map((finding) => ({ id, ...finding }))),
    )
    return lists.flat()
  }
  return { clock, ends, state, found }
}

function upstreamOf(changes: Partial<UpstreamReport>): UpstreamReport {
  return {
    ...{ url: 'http://127.0.0.1:8000', health: 'up', reason: null, breaker: 'closed', models: ['org/a'] },
    ...{ weight: 1, inFlight: 0, maxInFlight: 1, running: null, waiting: null, tokensPerSecond: null },
    ...{ tokenIds: 'unknown', requests: 0, failures: 0 },
    ...changes,
  } as UpstreamReport
}

describe('a miner', () => {
  it('has nothing to tell while it is registered, asked and served', async () => {
    const { found, state } = setup()
    state.upstreams = [upstreamOf({})]
    expect(await found()).toEqual([])
  })

  it.each([
    ['deregistered', { self: undefined }],
    ['metagraph-expired', { isExpired: true }],
    ['endpoints-differ', { failure: IMPLAUSIBLE }],
    ['nothing-served', { models: [] }],
    ['replay-store-down', { isReachable: false }],
  ])('tells %s, and only that', async (id, change) => {
    const { found, state } = setup()
    Object.assign(state, change)
    expect((await found()).map((one) => one.id)).toEqual([id])
  })

  it('tells each model server that is down, with its reason', async () => {
    const { found, state } = setup()
    state.upstreams = [
      upstreamOf({}),
      upstreamOf({ url: 'http://127.0.0.1:8001', health: 'down', reason: 'connection refused' }),
    ]
    expect(await found()).toMatchObject([
      {
        id: 'upstream-down',
        subject: 'http://127.0.0.1:8001',
        sentence: 'The model server http://127.0.0.1:8001 is down: connection refused.',
      },
    ])
  })

  it('tells that it was not asked for half an hour, until it is asked again', async () => {
    const { clock, found, state } = setup()
    await clock.advance(1_700_000)
    state.admitted = 1
    expect(await found()).toEqual([])
    await clock.advance(1_799_000)
    expect(await found()).toEqual([])
    await clock.advance(1000)
    expect(await found()).toMatchObject([
      { id: 'not-asked', sentence: 'No validator has asked this miner anything for 30 min.' },
    ])
    state.admitted = 2
    expect(await found()).toEqual([])
  })

  it('tells a model of which every request failed, but not one that a caller left or asked wrongly', async () => {
    const { clock, ends, found } = setup()
    for (let number = 0; number < 10; number++) {
      ends.note('org/a', false)
      ends.note('org/b', undefined)
      ends.note('org/unknown', false)
    }
    expect(await found()).toMatchObject([
      {
        id: 'model-failing',
        subject: 'org/a',
        sentence: expect.stringContaining('All 10 requests for org/a'),
      },
    ])
    ends.note('org/a', true)
    expect(await found()).toEqual([])
    await clock.advance(900_000)
    expect(await found()).toEqual([])
  })

  it('tells that workers exit again and again, until they have run for a while', async () => {
    const { clock, found, state } = setup()
    expect(await found()).toEqual([])
    state.restarts = 2
    expect(await found()).toEqual([])
    state.restarts = 3
    expect(await found()).toMatchObject([
      { id: 'workers-exiting', sentence: 'Workers of this miner exited 3 times in the last 15 minutes.' },
    ])
    await clock.advance(900_001)
    expect((await found()).map(({ id }) => id)).toEqual([])
  })
})

it.each<[boolean | undefined, Partial<Outcome>]>([
  [true, { kind: 'answered', status: 200 }],
  [undefined, { kind: 'answered', status: 400 }],
  [false, { kind: 'answered', status: 500 }],
  [false, { kind: 'broken' }],
  [false, { kind: 'refused', status: 502 }],
  [undefined, { kind: 'refused', status: 404 }],
  [undefined, { kind: 'refused', status: 429 }],
  [undefined, { kind: 'caller-left' }],
])('says %s of the model server after %o', (served, outcome) => {
  expect(isServed(outcome as Outcome)).toBe(served)
})
