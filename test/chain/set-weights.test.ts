import { afterEach, describe, expect, it } from 'vitest'
import { hotkeyOf } from '../support/hotkeys.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet

afterEach(() => subnet.close())

const vector = { netuid: 4, uids: [2, 3], scores: [1, 0.5], versionKey: 404_010 }
const entries = [
  { uid: 2, weightU16: 65_535 },
  { uid: 3, weightU16: 32_768 },
]

/** Produces blocks, which rate limits count. */
function mine(blocks: number): void {
  for (let made = 0; made < blocks; made++) subnet.dev.chain.produceBlock()
}

describe('setWeights', () => {
  it('submits weights, confirms them and finds them on chain', async () => {
    subnet = await startSubnet()
    mine(4)
    const chain = await subnet.connect()
    const result = await chain.setWeights(await hotkeyOf(0), vector)
    expect(result).toMatchObject({ kind: 'set', path: 'direct', block: 5, entries })
    expect(await chain.weightsOf(4, 0)).toEqual(entries)
  })

  it('sends nothing the chain would refuse: too fast, version key, not registered', async () => {
    subnet = await startSubnet({ weightsSetRateLimit: 50, weightsVersionKey: 404_010 })
    mine(60)
    const chain = await subnet.connect()
    const signer = await hotkeyOf(0)
    expect(await chain.setWeights(signer, { ...vector, versionKey: 404_009 })).toMatchObject({
      refusal: { class: 'version-key' },
    })
    expect(await chain.setWeights(signer, vector)).toMatchObject({ kind: 'set' })
    expect(await chain.setWeights(signer, vector)).toMatchObject({ refusal: { class: 'too-fast' } })
    expect(await chain.setWeights(await hotkeyOf(99), vector)).toMatchObject({
      refusal: { class: 'not-registered' },
    })
    expect(subnet.dev.chain.head.number).toBe(61)
  })

  it('reports a missing permit by name', async () => {
    subnet = await startSubnet()
    mine(4)
    const chain = await subnet.connect()
    expect(await chain.setWeights(await hotkeyOf(3), vector)).toMatchObject({
      kind: 'refused',
      refusal: { class: 'no-permit', name: 'NeuronNoValidatorPermit' },
    })
  })

  it('reports too little stake, which the pool refuses', async () => {
    subnet = await startSubnet({ stakeThresholdTao: 5000 })
    mine(4)
    const chain = await subnet.connect()
    expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({
      kind: 'refused',
      refusal: { class: 'stake' },
    })
  })

  it('keeps the last weights when nothing is scorable', async () => {
    subnet = await startSubnet()
    mine(4)
    const chain = await subnet.connect()
    await chain.setWeights(await hotkeyOf(0), vector)
    mine(4)
    const empty = { ...vector, scores: [0, 0] }
    expect(await chain.setWeights(await hotkeyOf(0), empty)).toEqual({
      kind: 'skipped',
      reason: 'nothing-scorable',
    })
    expect(await chain.weightsOf(4, 0)).toEqual(entries)
  })

  it.each([343, 293])(
    'uses the calls of spec %i, directly and as a commit',
    async (specVersion) => {
      subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100, specVersion })
      let chain = await subnet.connect()
      mine(5)
      expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({ kind: 'set', path: 'direct' })
      await subnet.close()
      subnet = await startSubnet({
        sealing: 'interval',
        blockTimeMs: 300,
        specVersion,
        commitReveal: true,
        tempo: 10,
        beaconPeriodSeconds: 1,
      })
      chain = await subnet.connect()
      mine(5)
      expect(await chain.setWeights(await hotkeyOf(0), vector)).toMatchObject({ kind: 'set', path: 'commit' })
      await expect.poll(() => chain.weightsOf(4, 0), { interval: 300 }).toEqual(entries)
    },
    90_000,
  )
})
