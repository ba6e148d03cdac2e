import { expect, test } from 'vitest'
import type { ReferenceEngine } from '../../../../src/engine/index.js'
import { createRandom } from '../../../../src/prompts/index.js'
import { type PlanRules, planRound } from '../../../../src/roles/validator/rounds/round-plan.js'
import { createRigEngine, MODEL } from '../validator-rig.js'
import { servingMiners, viewOf } from './round-parts.js'

const rules: PlanRules = { models: 'random', size: 37, round: 0, busy: new Set() }
const random = (seed = 's') => createRandom(seed)

function unready(model: string): ReferenceEngine {
  return { ...createRigEngine(model), facts: undefined, unreadyReason: 'out of memory' }
}

test('without a ready engine for a wanted model nobody is asked, and the reason says which and why', () => {
  const view = viewOf(servingMiners(3))
  const skipped = (engines: ReferenceEngine[]) => planRound(view, engines, rules, random())
  expect(skipped([])).toEqual({ kind: 'skip', reason: 'no reference engine is configured' })
  expect(skipped([unready(MODEL)])).toMatchObject({
    kind: 'skip',
    reason: expect.stringContaining(`${MODEL}: out of memory`),
  })
  expect(skipped([createRigEngine('org/unwanted')])).toMatchObject({
    kind: 'skip',
    reason: expect.stringContaining('org/unwanted: not wanted'),
  })
})

test('a model whose engine is down is never asked for while another is ready', () => {
  const view = viewOf(servingMiners(3), ['org/a', MODEL])
  for (let round = 0; round < 50; round++)
    expect(planRound(view, [unready('org/a'), createRigEngine()], rules, random(`${round}`))).toMatchObject({
      model: MODEL,
    })
})

test('at most 37 of 100 are asked, in another order each time, each miner as often as any other', () => {
  const view = viewOf(servingMiners(100))
  const asked = new Map<number, number>()
  const firsts = new Set<number>()
  for (let round = 0; round < 400; round++) {
    const plan = planRound(view, [createRigEngine()], rules, random(`${round}`))
    if (plan.kind !== 'round') throw new Error(plan.reason)
    expect(plan.miners).toHaveLength(37)
    expect(new Set(plan.miners).size).toBe(37)
    firsts.add(plan.miners[0]?.uid ?? 0)
    for (const { uid } of plan.miners) asked.set(uid, (asked.get(uid) ?? 0) + 1)
  }
  expect(firsts.size).toBeGreaterThan(80)
  // 148 expected, standard deviation 9.7.
  for (const count of asked.values()) expect(Math.abs(count - 148)).toBeLessThan(60)
  expect(asked.size).toBe(100)
})

test('only those that serve the model now are asked; those that answered without it are named, the silent are not', () => {
  const [serves, other, silent, streams] = servingMiners(4)
  if (!serves || !other || !silent || !streams) throw new Error('four miners')
  const view = viewOf([serves, other, silent, streams], [MODEL], [silent])
  view.replaceServed(new Map([[other.hotkey, []]]))
  const busy = new Set([streams.hotkey])
  const plan = planRound(view, [createRigEngine()], { ...rules, busy }, random())
  expect(plan).toMatchObject({ kind: 'round', miners: [serves], notServing: [other] })
  view.replaceServed(new Map([[serves.hotkey, []]]))
  expect(planRound(view, [createRigEngine()], { ...rules, busy }, random())).toEqual({
    kind: 'skip',
    reason: 'no miner serves a wanted model now',
  })
})
