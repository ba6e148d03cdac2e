import { afterEach, expect, test } from 'vitest'
import { type FakeMiner, startFakeMiner } from '../../support/fake-miner.js'
import { createRig, MODEL, type Rig } from './validator-rig.js'

const open: { dispose?(): Promise<void>; close?(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0)) await (thing.dispose?.() ?? thing.close?.())
})

async function withMiners(...options: Parameters<typeof startFakeMiner>[0][]): Promise<FakeMiner[]> {
  const miners = await Promise.all(options.map(startFakeMiner))
  open.push(...miners)
  return miners
}

async function rigOf(...given: Parameters<typeof createRig>): Promise<Rig> {
  const rig = await createRig(...given)
  open.unshift(rig)
  return rig
}

test('refuses to start with an unregistered hotkey, without a permit, or with private axons on finney', async () => {
  const rig = await rigOf([])
  const [self] = rig.chain.neurons
  rig.chain.neurons = []
  await expect(rig.start()).rejects.toMatchObject({ code: 'HOTKEY_NOT_REGISTERED', fault: 'chain' })
  rig.chain.neurons = [{ ...self!, validatorPermit: false }]
  await expect(rig.start()).rejects.toMatchObject({ code: 'NO_VALIDATOR_PERMIT', fault: 'chain' })
  Object.assign(rig.chain, {
    genesisHash: '0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03',
  })
  await expect(rig.start()).rejects.toMatchObject({ code: 'PRIVATE_AXONS_ON_FINNEY', fault: 'usage' })
})

test('never connects to private addresses unless allowed', async () => {
  const miners = await withMiners({ models: [MODEL] })
  const rig = await rigOf(miners, { 'allow-private-axons': false })
  const validator = await rig.start()
  await rig.logged(({ event }) => event === 'round-skipped')
  await validator.stop()
  expect(miners[0]?.asked).toEqual([])
  expect(miners[0]?.announced).toEqual([])
})
