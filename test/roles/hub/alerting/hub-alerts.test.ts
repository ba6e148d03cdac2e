import { describe, expect, it } from 'vitest'
import { TargonError } from '../../../../src/kernel/index.js'
import { createExchange, createRequestEnds, hubConditions } from '../../../../src/roles/hub/alerting/index.js'
import { ManualClock } from '../../../support/manual-clock.js'

const { signal } = new AbortController()
const IMPLAUSIBLE = new TargonError('The subnet changed.', { code: 'CHAIN_IMPLAUSIBLE', fault: 'chain' })
const IDLE_MS = 21_600_000
const DAY_MS = 86_400_000

function setup() {
  const clock = new ManualClock()
  const ends = createRequestEnds(clock)
  const exchange = createExchange()
  const state = {
    self: {} as unknown,
    failure: undefined as unknown,
    models: ['org/a', 'org/b'],
    trouble: undefined as string | undefined,
    buckets: {} as object | undefined,
    rows: 0,
    untilMs: undefined as number | undefined,
  }
  const conditions = hubConditions({
    ...{ clock, ends, exchange, hotkey: '5Hub', netuid: 4, idleMs: IDLE_MS },
    miners: {
      models: () => state.models,
      metagraph: () => ({ find: () => state.self }),
      failure: () => state.failure,
    },
    organics: {
      get buckets() {
        return state.buckets
      },
      counts: () => ({ rows: state.rows }),
    },
    gateway: {
      get certificate() {
        return state.untilMs === undefined ? undefined : { untilMs: state.untilMs }
      },
    },
    accountsTrouble: () => state.trouble,
  })
  /** What the conditions find. */
  const found = async () => {
    const lists = await Promise.all(
      conditions.map(async ({ id, look }) => (await look(signal)).map((finding) => ({ id, ...finding }))),
    )
    return lists.flat()
  }
  const ids = async () => (await found()).map(({ id }) => id)
  const note = (count: number, model: string, outcome: 'answered' | 'failed' | 'refused', code?: string) => {
    for (let number = 0; number < count; number++) ends.note({ model, outcome, code })
  }
  return { clock, exchange, state, found, ids, note, conditions }
}

describe('a hub', () => {
  it('has nothing to tell while it serves', async () => {
    const { ids, note } = setup()
    note(100, 'org/a', 'answered')
    note(100, 'org/a', 'refused', 'rate_limit_exceeded')
    expect(await ids()).toEqual([])
  })

  it.each([
    ['deregistered', { self: undefined }],
    ['endpoints-differ', { failure: IMPLAUSIBLE }],
    ['nothing-served', { models: [] }],
    ['accounts-unavailable', { trouble: 'connection refused' }],
  ])('tells %s, and only that, until it has passed', async (id, change) => {
    const { ids, state } = setup()
    const before = { ...state }
    Object.assign(state, change)
    expect(await ids()).toEqual([id])
    Object.assign(state, before)
    expect(await ids()).toEqual([])
  })

  it('tells a model that users used and no miner serves any more, for a day', async () => {
    const { clock, found, ids, note, state } = setup()
    note(1, 'org/a', 'answered')
    // Users ask for whatever they like.
    note(50, 'org/never', 'refused', 'model_not_found')
    state.models = ['org/b']
    expect(await found()).toMatchObject([
      {
        id: 'model-lost',
        subject: 'org/a',
        sentence: expect.stringContaining('No miner serves org/a any more'),
      },
    ])
    await clock.advance(DAY_MS)
    expect(await ids()).toEqual([])
  })

  it('tells a share of failed requests above a fifth, with the most frequent code', async () => {
    const { clock, found, ids, note } = setup()
    note(15, 'org/a', 'answered')
    note(2, 'org/a', 'failed', 'miner_failed')
    expect(await ids()).toEqual([])
    note(4, 'org/a', 'failed', 'miner_timeout')
    expect(await found()).toMatchObject([
      {
        id: 'requests-failing',
        sentence: '29 % of the 21 requests of the last 15 minutes failed, most often with miner_timeout.',
      },
    ])
    await clock.advance(900_000)
    expect(await ids()).toEqual([])
  })

  it('tells a model of which every request fails, also beside many that are answered', async () => {
    const { found, note } = setup()
    note(100, 'org/a', 'answered')
    note(10, 'org/b', 'failed', 'miner_failed')
    expect(await found()).toMatchObject([{ id: 'model-failing', subject: 'org/b' }])
    note(1, 'org/b', 'answered')
    expect(await found()).toEqual([])
  })

  it('tells that no validator collects, or that none reports, and takes it back', async () => {
    const { clock, exchange, ids, state } = setup()
    state.rows = 1
    await clock.advance(IDLE_MS - 1)
    expect(await ids()).toEqual([])
    await clock.advance(1)
    expect(await ids()).toEqual(['organics-not-collected'])
    exchange.noteHandedOut('b1')
    expect(await ids()).toEqual([])
    await clock.advance(IDLE_MS)
    exchange.noteHandedOut('b2')
    expect(await ids()).toEqual(['organics-not-reported'])
    exchange.noteVerdict({ isOrganic: false })
    expect(await ids(), 'about answers to validators').toEqual(['organics-not-reported'])
    exchange.noteVerdict({ isOrganic: true })
    expect(await ids()).toEqual([])
    await clock.advance(IDLE_MS)
    state.rows = 0
    exchange.noteVerdict({ isOrganic: true })
    expect(await ids(), 'without requests there is nothing to collect').toEqual([])
    state.buckets = undefined
    await clock.advance(2 * IDLE_MS)
    expect(await ids(), 'nothing is kept').toEqual([])
  })

  it('waits for no report while nothing was handed out since the last one', async () => {
    const { clock, exchange, ids } = setup()
    exchange.noteHandedOut('b1')
    exchange.noteVerdict({ isOrganic: true })
    // The validator asks again before the bucket ends, which it knows.
    exchange.noteHandedOut('b1')
    expect(await ids()).toEqual([])
    await clock.advance(2 * IDLE_MS)
    expect(await ids()).toEqual([])
    exchange.noteHandedOut('b2')
    expect(await ids()).toEqual([])
    await clock.advance(IDLE_MS)
    expect(await ids()).toEqual(['organics-not-reported'])
  })

  it('tells a certificate that ends within two weeks, and one that has ended', async () => {
    const { clock, found, ids, state } = setup()
    state.untilMs = clock.now() + 15 * DAY_MS
    expect(await ids()).toEqual([])
    await clock.advance(2 * DAY_MS)
    expect(await found()).toMatchObject([
      { id: 'certificate-expires', sentence: 'The certificate of the hub is valid for 13 more days.' },
    ])
    await clock.advance(13 * DAY_MS)
    expect(await ids()).toEqual(['certificate-expired'])
  })
})
