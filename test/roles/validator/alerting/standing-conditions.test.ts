import { describe, expect, it } from 'vitest'
import type { ReferenceEngine } from '../../../../src/engine/index.js'
import { standingConditions } from '../../../../src/roles/validator/alerting/standing-conditions.js'
import type { PairStanding } from '../../../../src/roles/validator/evidence/index.js'
import { servingMiners, viewOf } from '../rounds/round-parts.js'
import { createRigContext, createRigEngine, MODEL } from '../validator-rig.js'

const { signal } = new AbortController()
const OTHER = 'org/other'

function setup() {
  const view = viewOf(servingMiners(2), [MODEL, OTHER])
  const state = {
    engines: [createRigEngine(MODEL), createRigEngine(OTHER)] as ReferenceEngine[],
    trouble: undefined as string | undefined,
    standings: new Map<string, PairStanding[]>(),
  }
  const context = createRigContext({
    view,
    engines: () => state.engines,
    signer: { ...SIGNER, address: view.self.hotkey },
  })
  const conditions = standingConditions(context, {
    evidence: {
      standings: (hotkey, level) =>
        (state.standings.get(hotkey) ?? []).filter(({ standing }) => standing.level === level),
    },
    scoresTrouble: () => state.trouble,
  })
  const found = async () => {
    const lists = await Promise.all(
      conditions.map(async ({ id, look }) => (await look(signal)).map((finding) => ({ id, ...finding }))),
    )
    return lists.flat()
  }
  /** Replaces this validator in the metagraph. */
  const become = (changes: object | undefined) => {
    const { metagraph } = view
    const neurons = metagraph.neurons.flatMap((neuron) => {
      if (neuron.hotkey !== view.self.hotkey) return [neuron]
      return changes === undefined ? [] : [{ ...neuron, ...changes }]
    })
    view.replaceMetagraph({
      ...metagraph,
      neurons,
      find: (key) => neurons.find(({ hotkey }) => hotkey === key),
    })
  }
  return { state, found, become }
}

const SIGNER = { publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) }

describe('a validator', () => {
  it('has nothing to tell while it is registered, permitted and has its engines', async () => {
    expect(await setup().found()).toEqual([])
  })

  it('tells a lost registration, and then no lost permit', async () => {
    const { found, become } = setup()
    become(undefined)
    expect(await found()).toMatchObject([
      { id: 'deregistered', sentence: 'Hotkey 5Validator is no longer registered on subnet 4.' },
    ])
  })

  it('tells a lost permit', async () => {
    const { found, become } = setup()
    become({ validatorPermit: false, stakeTao: 12 })
    expect(await found()).toMatchObject([
      {
        id: 'permit-lost',
        sentence: 'Hotkey 5Validator has no validator permit any more, with a stake of 12 TAO.',
      },
    ])
  })

  it('tells the model without an engine, and otherwise that there is no engine at all', async () => {
    const { state, found } = setup()
    state.engines = [createRigEngine(MODEL)]
    expect(await found()).toMatchObject([
      { id: 'engine-not-ready', subject: OTHER, sentence: expect.stringContaining('it has no engine') },
    ])
    state.engines = []
    expect(await found()).toMatchObject([
      { id: 'no-engine', sentence: expect.stringContaining(`${MODEL}: it has no engine`) },
    ])
  })

  it('tells scores that cannot be saved', async () => {
    const { state, found } = setup()
    state.trouble = 'scores cannot be saved: ENOSPC'
    expect(await found()).toMatchObject([
      { id: 'scores-not-saved', sentence: 'The scores cannot be saved: ENOSPC.' },
    ])
  })

  it('tells each miner and model that the evidence accuses, with what it says', async () => {
    const { state, found } = setup()
    const pair = (level: string, isEnforced: boolean) =>
      ({ model: MODEL, isEnforced, standing: { level, sentence: 'Its logits are noisy.' } }) as PairStanding
    state.standings.set('5Miner1', [pair('barred', true)])
    state.standings.set('5Miner2', [pair('suspected', true)])
    expect(await found()).toMatchObject([
      {
        id: 'evidence-alarm',
        subject: `uid 1, ${MODEL}`,
        sentence: `Evidence accuses miner 1 of answers that do not fit ${MODEL}, and scores it 0 for this model. Its logits are noisy.`,
      },
    ])
  })
})
