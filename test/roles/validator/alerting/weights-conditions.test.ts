import { describe, expect, it } from 'vitest'
import { TargonError } from '../../../../src/kernel/index.js'
import { createTopic } from '../../../../src/roles/role.js'
import { weightsConditions } from '../../../../src/roles/validator/alerting/weights-conditions.js'
import type { ConfirmedWeights, NotedAttempt } from '../../../../src/roles/validator/epochs/index.js'
import { servingMiners, viewOf } from '../rounds/round-parts.js'
import { defaultSettings } from '../validator-rig.js'

const { signal } = new AbortController()

function setup() {
  const view = viewOf(servingMiners(1))
  const events = {
    weights: createTopic<ConfirmedWeights>(),
    attempts: createTopic<NotedAttempt>(),
    resynced: createTopic<{ readonly error?: unknown }>(),
  }
  const conditions = weightsConditions(
    { view, settings: defaultSettings({ 'epoch-length': 100 }) },
    { events },
  )
  const found = async () => {
    const lists = await Promise.all(
      conditions.map(async ({ id, look }) => (await look(signal)).map((finding) => ({ id, ...finding }))),
    )
    return lists.flat()
  }
  return { view, events, found }
}

describe('weights', () => {
  it('are late a quarter of an epoch after they were due', async () => {
    const { view, events, found } = setup()
    const start = view.block
    view.noteBlock(start + 125)
    expect(await found()).toEqual([])
    view.noteBlock(start + 126)
    expect(await found()).toMatchObject([
      {
        id: 'weights-late',
        sentence:
          'The weights of this validator have not been set for 126 blocks and are due every 100 blocks.',
      },
    ])
    events.weights.publish({ block: start + 126, path: 'direct', entries: [] })
    expect(await found()).toEqual([])
    view.noteBlock(start + 252)
    expect((await found())[0]?.sentence).toContain(`were last set at block ${start + 126}, 126 blocks ago`)
  })

  it('that were refused are told with the reason, until they are set', async () => {
    const { events, found } = setup()
    events.attempts.publish({ kind: 'retry', epoch: 7, reason: 'SettingWeightsTooFast: too fast' })
    expect(await found()).toMatchObject([
      {
        id: 'weights-refused',
        sentence:
          'The last attempt to set weights, for epoch 7, did not succeed: SettingWeightsTooFast: too fast.',
        next: 'The validator tries again until the epoch ends.',
      },
    ])
    events.attempts.publish({ kind: 'done', epoch: 7 })
    expect(await found()).toEqual([])
  })

  it('that wait for the check for a second validator are nothing to tell', async () => {
    const { events, found } = setup()
    events.attempts.publish({ kind: 'retry', epoch: 7, reason: 'doppelganger-watch', isHeld: true })
    expect(await found()).toEqual([])
  })

  it('stopped by endpoints that disagree are told as that', async () => {
    const { events, found } = setup()
    events.attempts.publish({ kind: 'retry', epoch: 7, reason: 'head differs', refusal: 'endpoints-differ' })
    expect((await found()).map(({ id }) => id)).toEqual(['endpoints-differ'])
    events.attempts.publish({ kind: 'done', epoch: 7 })
    const detail = { code: 'CHAIN_IMPLAUSIBLE', fault: 'chain', facts: { what: 'neurons' } } as const
    events.resynced.publish({ error: new TargonError('ws://x shows an impossible change.', detail) })
    expect((await found()).map(({ id }) => id)).toEqual(['endpoints-differ'])
    events.resynced.publish({})
    expect(await found()).toEqual([])
  })
})
