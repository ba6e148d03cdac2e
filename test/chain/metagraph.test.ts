import { afterEach, describe, expect, it } from 'vitest'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet

afterEach(() => subnet.close())

/** Produces blocks, which rate limits count. */
function mine(blocks: number): void {
  for (let made = 0; made < blocks; made++) subnet.dev.chain.produceBlock()
}

describe('readMetagraph', () => {
  it('reads all columns at one block', async () => {
    subnet = await startSubnet()
    mine(5)
    const chain = await subnet.connect()
    const metagraph = await chain.metagraph(4)
    expect(metagraph).toMatchObject({ netuid: 4, block: 5 })
    expect(metagraph.blockHash).toMatch(/^0x[0-9a-f]{64}$/)
    expect(metagraph.neurons.map(({ hotkey }) => hotkey)).toEqual(
      subnet.signers.map(({ address }) => address),
    )
    expect(metagraph.neurons[0]).toMatchObject({
      uid: 0,
      validatorPermit: true,
      stakeTao: 1000,
      axon: undefined,
    })
    expect(metagraph.find(subnet.signers[3]?.address ?? '')?.uid).toBe(3)
    expect(metagraph.find('nobody')).toBeUndefined()
  })

  it('fails with SUBNET_UNKNOWN for a subnet that does not exist', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    await expect(chain.metagraph(77)).rejects.toMatchObject({ code: 'SUBNET_UNKNOWN', fault: 'chain' })
  })

  it.each([240, 293, 343, 393, 419, 424, 461, 475])(
    'reads the runtime calls of spec %i, if the development chain has it',
    async (specVersion) => {
      const started = await startSubnet({ specVersion }).catch((error: unknown) => {
        if (error instanceof RangeError) return undefined
        throw error
      })
      subnet = started ?? (await startSubnet())
      const chain = await subnet.connect()
      expect((await chain.metagraph(4)).neurons.map(({ stakeTao }) => stakeTao)).toEqual([1000, 1000, 0, 0])
    },
  )
})
