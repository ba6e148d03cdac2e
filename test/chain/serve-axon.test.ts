import { afterEach, describe, expect, it } from 'vitest'
import { hotkeyOf } from '../support/hotkeys.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet

afterEach(() => subnet.close())

/** Produces blocks, which rate limits count. */
function mine(blocks: number): void {
  for (let made = 0; made < blocks; made++) subnet.dev.chain.produceBlock()
}

describe('serveAxon', () => {
  it('announces an address once and does not repeat it', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    const signer = await hotkeyOf(2)
    const axon = { netuid: 4, ip: '10.1.2.3', port: 8091 }
    expect(await chain.serveAxon(signer, axon)).toMatchObject({ kind: 'served' })
    const served = (await chain.metagraph(4)).neurons[2]?.axon
    expect(served).toMatchObject({ ip: '10.1.2.3', port: 8091, ipType: 4, protocol: 4 })
    const before = chain.head().number
    expect(await chain.serveAxon(signer, axon)).toEqual({ kind: 'unchanged' })
    expect(subnet.dev.chain.head.number).toBe(before)
  })

  it('announces IPv6', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    await chain.serveAxon(await hotkeyOf(3), { netuid: 4, ip: '2001:db8::7', port: 1 })
    expect((await chain.metagraph(4)).neurons[3]?.axon).toMatchObject({ ip: '2001:db8::7', ipType: 6 })
  })

  it.each([
    ['loopback', { ip: '127.0.0.1', port: 8091 }, 'bad-axon', 'InvalidIpAddress'],
    ['port 0', { ip: '10.0.0.1', port: 0 }, 'bad-axon', 'InvalidPort'],
  ])('reports a refused %s by class', async (_, axon, refusalClass, name) => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    const result = await chain.serveAxon(await hotkeyOf(2), { netuid: 4, ...axon })
    expect(result).toMatchObject({ kind: 'refused', refusal: { class: refusalClass, name } })
  })

  it('reports an unregistered hotkey by class', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    const result = await chain.serveAxon(await hotkeyOf(99), { netuid: 4, ip: '10.0.0.1', port: 1 })
    expect(result).toMatchObject({ kind: 'refused', refusal: { class: 'not-registered' } })
  })

  it('reports the rate limit as too fast', async () => {
    subnet = await startSubnet({ servingRateLimit: 50 })
    mine(60)
    const chain = await subnet.connect()
    const signer = await hotkeyOf(2)
    await chain.serveAxon(signer, { netuid: 4, ip: '10.0.0.1', port: 1 })
    const again = await chain.serveAxon(signer, { netuid: 4, ip: '10.0.0.2', port: 1 })
    expect(again).toMatchObject({ kind: 'refused', refusal: { class: 'too-fast' } })
  })

  it('rejects a host name before anything is sent', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect()
    const signer = await hotkeyOf(2)
    await expect(chain.serveAxon(signer, { netuid: 4, ip: 'example.org', port: 1 })).rejects.toMatchObject({
      code: 'AXON_ADDRESS',
      fault: 'usage',
    })
  })
})
