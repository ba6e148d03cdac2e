import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BlockHead, Metagraph, WeightsPipeline } from '../../../../src/chain/index.js'
import { createTopic } from '../../../../src/roles/role.js'
import { startEpochs } from '../../../../src/roles/validator/epochs/epochs.js'
import { scoresByUid } from '../../../../src/roles/validator/epochs/weights-job.js'
import { createVerdictCounts } from '../../../../src/roles/validator/scores/verdict-counts.js'
import { ScoreBook } from '../../../../src/scoring/index.js'
import type { Signer } from '../../../../src/wallet/index.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { servingMiner, viewOf } from '../rounds/round-parts.js'
import { createRigChain, createRigContext, defaultSettings, MODEL, type RigChain } from '../validator-rig.js'

const UIDS = 12

/** Uids that change owners between two reads of the metagraph. */
const swaps = fc.uniqueArray(fc.integer({ min: 1, max: UIDS }), { minLength: 1, maxLength: UIDS })

/** Submits directly: what is sent matters here, not how. */
function directPipeline(chain: RigChain, signer: Signer): WeightsPipeline {
  return {
    lost: new AbortController().signal,
    lastConfirmed: undefined,
    attempt: async (_, { uids, scores, versionKey }) =>
      chain.setWeights(signer, { netuid: 4, uids, scores, versionKey }),
    skip: async () => {},
    close: async () => {},
  }
}

async function setup() {
  const miners = Array.from({ length: UIDS }, (_, index) => servingMiner(index + 1))
  const view = viewOf(miners)
  const self = await hotkeyOf(200)
  const neurons = view.metagraph.neurons.map((one) =>
    one.uid === 0 ? { ...one, hotkey: self.address } : one,
  )
  const chain = createRigChain([...neurons])
  const book = new ScoreBook()
  for (const { uid, hotkey } of miners)
    for (let result = 0; result < 15; result++) book.record(hotkey, MODEL, 10 * uid, 100)
  const clock = new ManualClock()
  const stop = new AbortController()
  const head = createTopic<BlockHead>()
  const resynced = createTopic<{ readonly error?: unknown }>()
  const epochs = startEpochs(
    createRigContext({
      ...{ clock, signal: stop.signal, subtensor: chain, signer: self, view },
      settings: defaultSettings({ 'epoch-length': 30 }),
    }),
    {
      deps: {
        models: { current: () => [MODEL], refresh: async () => {} },
        weights: directPipeline(chain, self),
      },
      scores: { book, save: async () => {}, trouble: () => undefined },
      verdicts: createVerdictCounts(),
      events: { head, weights: createTopic(), attempts: createTopic(), resynced },
    },
  )
  const end = async () => {
    stop.abort()
    await epochs.done
  }
  return { chain, view, book, head, resynced, clock, end }
}

test('a uid that changes owners starts at score 0, and all others keep their scores', async () => {
  await fc.assert(
    fc.asyncProperty(swaps, async (changed) => {
      const { chain, view, book, head, clock, end } = await setup()
      // The weights due at the start are set with the first owners.
      await settle()
      expect(chain.submissions.map(({ block }) => block)).toEqual([100])
      const before = scoresByUid(view, book, 'proportional')
      // The scores in a book keyed by uid, as in 4.4.1.
      const inherited = new Map(before)
      chain.neurons = chain.neurons.map((one) =>
        changed.includes(one.uid) ? { ...one, hotkey: `5New${one.uid}` } : one,
      )
      chain.grow(121)
      head.publish({ number: 121, hash: '0x' })
      await settle()
      await clock.advance(5000)
      await end()
      const metagraph: Metagraph = view.metagraph
      view.replaceServed(new Map(metagraph.neurons.map(({ hotkey }) => [hotkey, [MODEL]])))
      const after = scoresByUid(view, book, 'proportional')
      for (let uid = 1; uid <= UIDS; uid++) {
        expect(before.get(uid)).toBeGreaterThan(0)
        expect(after.get(uid)).toBe(changed.includes(uid) ? 0 : before.get(uid))
        if (changed.includes(uid)) expect(inherited.get(uid)).not.toBe(after.get(uid))
        // The first owner of a uid has lost its scores, too, when it returns.
        if (changed.includes(uid)) expect(book.results(`5Miner${uid}`, MODEL)).toEqual([])
      }
      const weights = chain.submissions.find(({ block }) => block >= 121)
      for (const [index, uid] of (weights?.uids ?? []).entries())
        if (changed.includes(uid)) expect(weights?.scores[index]).toBe(0)
    }),
    { numRuns: 50 },
  )
})

test('a validator that is deregistered shows it in its view and says why it reads no more', async () => {
  const { chain, view, head, resynced, end } = await setup()
  await settle()
  const self = await hotkeyOf(200)
  const errors: unknown[] = []
  resynced.subscribe(({ error }) => void errors.push(error))
  chain.neurons = chain.neurons.map((one) => (one.uid === 0 ? { ...one, hotkey: '5Other' } : one))
  chain.grow(121)
  head.publish({ number: 121, hash: '0x' })
  await settle()
  await end()
  expect(errors[0]).toMatchObject({ code: 'HOTKEY_NOT_REGISTERED' })
  expect(view.metagraph.find(self.address)).toBeUndefined()
})
