import { afterEach, expect, it } from 'vitest'
import { startFakeMiner } from '../../support/fake-miner.js'
import { createRig, MODEL, type Rig } from './validator-rig.js'

const open: { dispose?(): Promise<void>; close?(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0)) await (thing.dispose?.() ?? thing.close?.())
})

/** A validator with one honest miner that notes when it is the moment to look for an update. */
async function rigWithNotes() {
  const miner = await startFakeMiner({ models: [MODEL], gapMs: 1 })
  const looks: number[] = []
  const rig: Rig = await createRig(
    [miner],
    {},
    { afterWeights: async () => void looks.push(rig.chain.head().number) },
  )
  open.push(rig, miner)
  await rig.start()
  await rig.logged(({ msg, verdict }) => msg === 'verdict' && verdict === 'verified')
  return { rig, looks }
}

it('looks for an update after the weights of an epoch are on chain, once', async () => {
  const { rig, looks } = await rigWithNotes()
  expect(looks).toEqual([])
  rig.chain.grow(121)
  await rig.logged(({ msg }) => msg === 'weights set')
  await expect.poll(() => looks).toEqual([121])
  for (const block of [122, 125, 140, 149]) rig.chain.grow(block)
  rig.chain.grow(150)
  await expect.poll(() => looks).toEqual([121, 150])
})

it('does not look while the weights of the epoch are owed, but after the attempt that succeeds', async () => {
  const { rig, looks } = await rigWithNotes()
  rig.chain.answers.push({ kind: 'unconfirmed', reason: 'no block took it' })
  rig.chain.grow(121)
  await expect.poll(() => rig.chain.answers).toEqual([])
  expect(looks).toEqual([])
  await expect
    .poll(
      () => {
        rig.chain.grow(rig.chain.head().number + 1)
        return looks.length
      },
      { timeout: 20_000 },
    )
    .toBe(1)
  expect(rig.chain.submissions).toHaveLength(1)
})
