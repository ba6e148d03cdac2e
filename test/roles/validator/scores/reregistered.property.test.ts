import fc from 'fast-check'
import pino from 'pino'
import { expect, test } from 'vitest'
import type { Metagraph, WeightsPipeline } from '../../../../src/chain/index.js'
import { startEpoch } from '../../../../src/roles/validator/epochs/epoch.js'
import { scoresByUid } from '../../../../src/roles/validator/epochs/weights-job.js'
import { createStandings } from '../../../../src/roles/validator/scores/standings.js'
import { ScoreBook } from '../../../../src/scoring/index.js'
import { createMetrics } from '../../../../src/telemetry/index.js'
import type { Signer } from '../../../../src/wallet/index.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { servingMiner, viewOf } from '../rounds/round-parts.js'
import { createRigChain, defaultSettings, MODEL, type RigChain } from '../validator-rig.js'

const UIDS = 12

/** Uids that change hands between two looks at the chain, and when the old owner comes back. */
const swaps = fc.uniqueArray(fc.integer({ min: 1, max: UIDS }), { minLength: 1, maxLength: UIDS })

/** Straight to the chain: what is sent matters here, not how. */
function directPipeline(chain: RigChain, signer: Signer): WeightsPipeline {
  return {
    lost: new AbortController().signal,
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
  const log = pino({ level: 'silent' })
  const task = startEpoch(
    {
      ...{ clock, log, subtensor: chain, signer: self, view, standings: createStandings() },
      settings: defaultSettings({ 'epoch-length': 30 }),
      scores: { book, save: async () => {}, trouble: () => undefined },
      metrics: createMetrics('validator'),
      models: { current: () => [MODEL], refresh: async () => {} },
      ...{ refreshEngines: undefined, pipeline: directPipeline(chain, self), afterWeights: undefined },
      ...{ onHotkeyInUse: () => {}, onWeights: () => {} },
    },
    stop.signal,
  )
  const end = async () => {
    stop.abort()
    await task.done
  }
  return { chain, view, book, task, clock, end }
}

test('a uid that changed hands starts at 0, whoever had it and however good, and everybody else keeps its score', async () => {
  await fc.assert(
    fc.asyncProperty(swaps, async (changed) => {
      const { chain, view, book, task, clock, end } = await setup()
      // The weights owed at the start are set with the first owners.
      await settle()
      expect(chain.submissions.map(({ block }) => block)).toEqual([100])
      const before = scoresByUid(view, book, 'proportional')
      // What a book of uids, as 4.4.1 had it, would go on with.
      const inherited = new Map(before)
      chain.neurons = chain.neurons.map((one) =>
        changed.includes(one.uid) ? { ...one, hotkey: `5New${one.uid}` } : one,
      )
      chain.grow(121)
      task.onHead({ number: 121, hash: '0x' })
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
        // The first owner of a uid has lost everything, too, when it comes back.
        if (changed.includes(uid)) expect(book.results(`5Miner${uid}`, MODEL)).toEqual([])
      }
      const weights = chain.submissions.find(({ block }) => block >= 121)
      for (const [index, uid] of (weights?.uids ?? []).entries())
        if (changed.includes(uid)) expect(weights?.scores[index]).toBe(0)
    }),
    { numRuns: 50 },
  )
})
