import { describe, expect, test } from 'vitest'
import { createRandom } from '../../../../src/prompts/index.js'
import { createTopic } from '../../../../src/roles/role.js'
import { openCheckedShare } from '../../../../src/roles/validator/evidence/index.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/index.js'
import { answerOf, completionRequest, servingMiner, servingMiners, viewOf } from '../rounds/round-parts.js'
import { createRigContext, defaultSettings, MODEL } from '../validator-rig.js'

const STREAK = 10
const DRAWS = 2000
const MINER = servingMiner(1)

function setup(share: number, isClean = () => true, more: Parameters<typeof defaultSettings>[0] = {}) {
  const view = viewOf(servingMiners(2))
  const settings = defaultSettings({
    ...{ 'evidence.checked-share': share, 'evidence.clean-answers': STREAK },
    ...more,
  })
  const events = { result: createTopic<RoundResult>(), resynced: createTopic<unknown>() }
  const context = { ...createRigContext({ view }), settings }
  const checked = openCheckedShare(context, { random: createRandom('secret'), evidence: { isClean }, events })
  const tell = (verdict: RoundResult['verdict'], more: Partial<RoundResult> = {}) =>
    events.result.publish({
      ...{ round: 1, block: 100, at: 0, miner: MINER, request: completionRequest() },
      ...{ answer: answerOf(), stallMs: 0, verdict, ...more },
    })
  const trust = () => {
    for (let answer = 0; answer < STREAK; answer++) tell({ kind: 'verified' })
  }
  const unchecked = (hotkey = MINER.hotkey, model = MODEL) => {
    let count = 0
    for (let draw = 0; draw < DRAWS; draw++) if (checked.leavesUnchecked(hotkey, model)) count++
    return count / DRAWS
  }
  return { checked, events, view, tell, trust, unchecked }
}

describe('the share of answers that is checked', () => {
  test('is all of them by default, and of every miner without enough verified answers in a row', () => {
    const all = setup(1)
    all.trust()
    expect(all.unchecked()).toBe(0)
    const { trust, tell, unchecked, checked } = setup(0.2)
    for (let answer = 1; answer < STREAK; answer++) tell({ kind: 'verified' })
    expect(unchecked()).toBe(0)
    trust()
    expect(unchecked()).toBeCloseTo(0.8, 1)
    expect(checked.trusted()).toBe(1)
  })

  test('counts for one miner and model alone', () => {
    const { trust, unchecked } = setup(0.2)
    trust()
    expect(unchecked('5Miner2')).toBe(0)
    expect(unchecked(MINER.hotkey, 'another/model')).toBe(0)
  })

  test('is all of them again after tokens that fail, but not after a fault of the connection or of this validator', () => {
    const { trust, tell, unchecked, checked } = setup(0.2)
    trust()
    const fault = { cause: 'TIMEOUT', detail: 'late', timed: 'deadline' } as const
    tell({ kind: 'failed', cause: 'TIMEOUT', detail: 'late' }, { answer: answerOf({ fault }) })
    tell({ kind: 'failed', cause: 'BAD_STREAM', detail: '503' }, { answer: answerOf({ status: 503 }) })
    tell({ kind: 'inconclusive', reason: 'engine-unavailable', detail: 'down' })
    expect(unchecked()).toBeGreaterThan(0.7)
    tell({ kind: 'failed', cause: 'UNLIKELY_TOKENS', detail: 'made up' })
    expect(unchecked()).toBe(0)
    expect(checked.trusted()).toBe(0)
    trust()
    const soFar = { kind: 'failed', cause: 'UNLIKELY_TOKENS', detail: 'made up' } as const
    tell({ kind: 'failed', cause: 'TIMEOUT', detail: 'cut' }, { answer: answerOf({ fault }), soFar })
    expect(unchecked()).toBe(0)
  })

  test('is all of them under the rules of 4.4.1, which weigh no evidence', () => {
    const { trust, unchecked } = setup(0.2, () => true, { 'verification.rules': 'targon-4' })
    trust()
    expect(unchecked()).toBe(0)
  })

  test('is all of them while evidence suspects the miner or is not enforced', () => {
    let isClean = true
    const { trust, unchecked } = setup(0.2, () => isClean)
    trust()
    isClean = false
    expect(unchecked()).toBe(0)
  })

  test('forgets miners and models that left', () => {
    const { trust, events, view, unchecked, checked } = setup(0.2)
    trust()
    view.replaceMetagraph({
      ...view.metagraph,
      neurons: [view.self],
      find: (hotkey) => (hotkey === view.self.hotkey ? view.self : undefined),
    })
    events.resynced.publish({})
    expect(checked.trusted()).toBe(0)
    expect(unchecked()).toBe(0)
  })
})
