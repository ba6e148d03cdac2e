import { expect, test } from 'vitest'
import type { ReferenceEngine } from '../../../../src/engine/index.js'
import { createRandom } from '../../../../src/prompts/index.js'
import { type PlanRules, planRound } from '../../../../src/roles/validator/rounds/round-plan.js'
import { createRigEngine, MODEL } from '../validator-rig.js'
import { servingMiners, viewOf } from './round-parts.js'

const rules: PlanRules = {
  ...{ models: 'random', size: 37, round: 0, isBusy: () => false },
  explainEngine: () => ({ reason: 'GPU memory is full' }),
}
const random = (seed = 's') => createRandom(seed)

function unready(model: string): ReferenceEngine {
  return { ...createRigEngine(model), facts: undefined, unreadyReason: 'out of memory' }
}

test('skips the round without a ready engine for a wanted model and names the engines and reasons', () => {
  const view = viewOf(servingMiners(3))
  const skipped = (engines: ReferenceEngine[]) => planRound(view, engines, rules, random())
  expect(skipped([])).toEqual({
    kind: 'skip',
    reason: `no reference engine is ready for a wanted model (${MODEL}: GPU memory is full)`,
  })
  expect(skipped([unready(MODEL)])).toMatchObject({
    kind: 'skip',
    reason: expect.stringContaining(`${MODEL}: out of memory`),
  })
  expect(skipped([createRigEngine('org/unwanted')])).toMatchObject({
    kind: 'skip',
    reason: expect.stringContaining(`${MODEL}: GPU memory is full`),
  })
})

test('never chooses a model whose engine is down', () => {
  const view = viewOf(servingMiners(3), ['org/a', MODEL])
  for (let round = 0; round < 50; round++)
    expect(planRound(view, [unready('org/a'), createRigEngine()], rules, random(`${round}`))).toMatchObject({
      model: MODEL,
    })
})

test('draws 37 of 100 miners in random order, each equally often', () => {
  const view = viewOf(servingMiners(100))
  const drawn = new Map<number, number>()
  const firsts = new Set<number>()
  for (let round = 0; round < 400; round++) {
    const plan = planRound(view, [createRigEngine()], rules, random(`${round}`))
    if (plan.kind !== 'round') throw new Error(plan.reason)
    expect(plan.miners).toHaveLength(37)
    expect(new Set(plan.miners).size).toBe(37)
    firsts.add(plan.miners[0]?.uid ?? 0)
    for (const { uid } of plan.miners) drawn.set(uid, (drawn.get(uid) ?? 0) + 1)
  }
  expect(firsts.size).toBeGreaterThan(80)
  // 148 expected, standard deviation 9.7.
  for (const count of drawn.values()) expect(Math.abs(count - 148)).toBeLessThan(60)
  expect(drawn.size).toBe(100)
})

test('draws only available miners that list the model, and reports those that answered without listing it', () => {
  const [serves, other, silent, streams] = servingMiners(4)
  if (!serves || !other || !silent || !streams) throw new Error('four miners')
  const view = viewOf([serves, other, silent, streams], [MODEL], [silent])
  view.replaceServed(new Map([[other.hotkey, []]]))
  const isBusy = (hotkey: string) => hotkey === streams.hotkey
  const sittingOut = [{ miner: streams, model: MODEL }]
  const plan = planRound(view, [createRigEngine()], { ...rules, isBusy }, random('a'))
  expect(plan).toMatchObject({ kind: 'round', miners: [serves], notServing: [other], sittingOut })
  view.replaceServed(new Map([[serves.hotkey, []]]))
  expect(planRound(view, [createRigEngine()], { ...rules, isBusy }, random())).toEqual({
    kind: 'skip',
    reason: 'no available miner serves a wanted model',
    sittingOut,
  })
})

test('a model whose miners all stream still has its turn: they sit out, and another model is queried', () => {
  const [first, second] = servingMiners(2)
  if (!first || !second) throw new Error('two miners')
  const view = viewOf([first, second], ['org/a', MODEL])
  const engines = [createRigEngine('org/a'), createRigEngine()]
  const isBusy = (hotkey: string, model: string) => model === 'org/a' || hotkey === first.hotkey
  const sittingOut = new Map<string, number>()
  for (let round = 0; round < 40; round++)
    for (const models of ['random', 'in-turn'] as const) {
      const plan = planRound(view, engines, { ...rules, models, round, isBusy }, random(`${round}`))
      if (plan.kind !== 'round') throw new Error(plan.reason)
      expect(plan).toMatchObject({ model: MODEL, miners: [second] })
      for (const { miner, model } of plan.sittingOut)
        sittingOut.set(`${miner.uid} ${model}`, (sittingOut.get(`${miner.uid} ${model}`) ?? 0) + 1)
    }
  // Half of the rounds are the turn of each model; both its miners sit it out.
  for (const uid of [1, 2]) expect(Math.abs((sittingOut.get(`${uid} org/a`) ?? 0) - 40)).toBeLessThan(15)
  expect(sittingOut.get(`2 ${MODEL}`)).toBeUndefined()
})
