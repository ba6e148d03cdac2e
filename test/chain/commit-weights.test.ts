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

describe('commit-reveal', () => {
  it('commits weights on a subnet with commit-reveal', async () => {
    subnet = await startSubnet({ commitReveal: true })
    mine(4)
    const chain = await subnet.connect()
    const result = await chain.setWeights(await hotkeyOf(0), vector)
    expect(result).toMatchObject({ kind: 'set', path: 'commit', entries })
    expect((await chain.weightsStatus(4, subnet.signers[0]?.address ?? '')).lastUpdateBlock).toBe(5)
  })

  it('has the chain reveal the weights in the reveal epoch', async () => {
    subnet = await startSubnet({
      sealing: 'interval',
      blockTimeMs: 100,
      commitReveal: true,
      tempo: 20,
      beaconPeriodSeconds: 1,
    })
    const chain = await subnet.connect()
    mine(5)
    const result = await chain.setWeights(await hotkeyOf(0), vector)
    expect(result).toMatchObject({ kind: 'set', path: 'commit', entries })
    expect(await chain.weightsOf(4, 0)).toEqual([])
    await expect.poll(() => chain.weightsOf(4, 0), { interval: 300 }).toEqual(entries)
  })
})
