import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, expect, test } from 'vitest'
import type { ChainRefusal } from '../../../../src/chain/index.js'
import { systemClock } from '../../../../src/kernel/clock.js'
import { epochAt } from '../../../../src/roles/validator/epochs/epoch-task.js'
import { createWeightsJob, scoresByUid } from '../../../../src/roles/validator/epochs/weights-job.js'
import type { ServingMiner } from '../../../../src/roles/validator/subnet/subnet-view.js'
import { ScoreBook } from '../../../../src/scoring/index.js'
import { hotkeyOf } from '../../../support/hotkeys.js'
import { servingMiners, viewOf } from '../rounds/round-parts.js'
import { createRigChain, createRigContext, MODEL, openRigWeights } from '../validator-rig.js'

const { signal } = new AbortController()
const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0)) await close()
})

async function setup(silent: readonly ServingMiner[] = []) {
  const signer = await hotkeyOf(200)
  const miners = servingMiners(3)
  const view = viewOf(
    miners,
    [MODEL],
    miners.filter(({ uid }) => silent.some((one) => one.uid === uid)),
  )
  const chain = createRigChain([...view.metagraph.neurons])
  const book = new ScoreBook()
  book.record('5Miner1', MODEL, 50, 1)
  const log = pino({ level: 'silent' })
  const folder = await mkdtemp(join(tmpdir(), 'targon-weights-job-'))
  const pipeline = await openRigWeights(chain, { clock: systemClock, log, signer, signal, folder })
  open.push(async () => {
    await pipeline.close()
    await rm(folder, { recursive: true })
  })
  const job = createWeightsJob({
    context: createRigContext({ view }),
    ...{ book, pipeline, onSet: () => {} },
  })
  const refuse = (refused: ChainRefusal['class']) =>
    chain.answers.push({ kind: 'refused', refusal: { class: refused, name: refused, detail: '' } })
  return { chain, view, book, refuse, attempt: (epoch: number) => job(epochAt(360 * epoch, 360), signal) }
}

test.each(['too-fast', 'no-permit', 'stake', 'stale', 'other'] as const)(
  'retries a refusal of class %s within the epoch',
  async (refused) => {
    const { refuse, attempt } = await setup()
    for (let time = 0; time < 3; time++) {
      refuse(refused)
      expect((await attempt(1)).kind).toBe('retry')
    }
    expect((await attempt(1)).kind).toBe('done')
  },
)

test.each(['version-key', 'not-registered'] as const)(
  'gives up the epoch after a refusal of class %s, but not the next one',
  async (refused) => {
    const { refuse, attempt } = await setup()
    refuse(refused)
    expect((await attempt(1)).kind).toBe('given-up')
    expect((await attempt(2)).kind).toBe('done')
  },
)

test('keeps the weight of a miner that has not answered for its models since the start', async () => {
  const { attempt, chain, view, book } = await setup([servingMiners(3)[0]!])
  expect(view.servedBy('5Miner1')).toBeUndefined()
  expect((await attempt(1)).kind).toBe('done')
  expect(chain.submissions[0]).toMatchObject({ uids: [1, 2, 3], scores: [1, 0, 0] })
  // Once it has answered without listing the model, it has no weight.
  view.replaceServed(new Map([['5Miner1', []]]))
  expect(scoresByUid(view, book, 'proportional').get(1)).toBe(0)
})

test('retries a vector the chain rejects once per epoch', async () => {
  const { refuse, attempt } = await setup()
  for (const epoch of [1, 2]) {
    refuse('bad-vector')
    expect((await attempt(epoch)).kind).toBe('retry')
    refuse('bad-vector')
    expect((await attempt(epoch)).kind).toBe('given-up')
  }
})

test('builds the second vector from the current miners', async () => {
  const { refuse, attempt, chain, view } = await setup()
  refuse('bad-vector')
  expect((await attempt(1)).kind).toBe('retry')
  const neurons = view.metagraph.neurons.filter(({ uid }) => uid !== 3)
  const find = (hotkey: string) => neurons.find((neuron) => neuron.hotkey === hotkey)
  view.replaceMetagraph({ ...view.metagraph, neurons, find })
  expect((await attempt(1)).kind).toBe('done')
  expect(chain.submissions.at(-1)).toMatchObject({ uids: [1, 2] })
})
