import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { layoutOf, readState } from '../../../../src/autoupdate/index.js'
import { resolveSettings } from '../../../../src/config/index.js'
import { systemClock } from '../../../../src/kernel/clock.js'
import { openSelfUpdate } from '../../../../src/roles/self-update.js'
import { startFakeMiner } from '../../../support/fake-miner.js'
import { ReleaseRepository } from '../../../support/release-repository.js'
import { createRig, MODEL, type Rig } from '../validator-rig.js'

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
  await rig.logged(({ event, verdict }) => event === 'verdict' && verdict === 'verified')
  return { rig, looks }
}

it('looks for an update after the weights of an epoch are on chain, once', async () => {
  const { rig, looks } = await rigWithNotes()
  expect(looks).toEqual([])
  rig.chain.grow(121)
  await rig.logged(({ event }) => event === 'weights-set')
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

it('puts a new release on trial and asks for a restart after its weights, through the whole way', async () => {
  const repository = new ReleaseRepository()
  await repository.release('99.0.0')
  const miner = await startFakeMiner({ models: [MODEL], gapMs: 1 })
  const root = join(repository.folder, 'root')
  const window = () => {
    const block = rig.chain.head().number
    return { block, nextWeightsBlock: (Math.floor(block / 100) + 1) * 100 }
  }
  const restarts: string[] = []
  // the hotkey's share of half an hour passes at once
  const clock = { ...systemClock, sleep: async () => {} }
  const settings = resolveSettings('validator', {
    flags: {
      'update.url': repository.remote,
      'update.signers': repository.signers,
      'update.root': root,
      launched: true,
    },
    env: {},
  }).values
  const surroundings = {
    node: { version: process.versions.node, path: process.execPath },
    env: { PATH: process.env.PATH ?? '', HOME: repository.folder },
  }
  const rig: Rig = await createRig(
    [miner],
    { 'epoch-length': 100 },
    {
      afterWeights: async () =>
        await openSelfUpdate(settings, 'hotkey', surroundings, {
          clock,
          log: rig.deps.log,
          signal: rig.deps.signal,
          restart: (reason) => void restarts.push(`${reason} at ${rig.chain.head().number}`),
        }).afterWeights(window)(),
    },
  )
  open.push(rig, miner)
  await rig.start()
  await rig.logged(({ event, verdict }) => event === 'verdict' && verdict === 'verified')
  expect(existsSync(root)).toBe(false)
  rig.chain.grow(200)
  await expect.poll(() => restarts).toEqual(['update at 200'])
  expect(await readState(layoutOf(root))).toMatchObject({ state: 'probation', to: '99.0.0' })
})
