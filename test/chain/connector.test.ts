import { afterEach, describe, expect, it } from 'vitest'
import { startDevelopmentChain } from '../../src/localnet/chain/index.js'
import { startFaultProxy } from '../support/fault-proxy.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet

afterEach(() => subnet.close())

describe('Connector', () => {
  it('fails with CHAIN_UNREACHABLE when the connection is refused', async () => {
    subnet = await startSubnet()
    await expect(subnet.connect({ endpoints: ['ws://127.0.0.1:1'] })).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
      fault: 'unreachable',
      message: expect.stringContaining('Cannot connect to ws://127.0.0.1:1: '),
    })
  })

  it('retries until the chain is reachable', async () => {
    subnet = await startSubnet()
    const proxy = await startFaultProxy(subnet.dev.url)
    proxy.mode = 'refuse'
    const connecting = subnet.connect({ endpoints: [proxy.url], firstConnectMs: 60_000 })
    await expect.poll(() => proxy.accepted).toBeGreaterThan(1)
    expect(subnet.log.lines.map(({ event }) => event)).toContain('chain-unreachable')
    proxy.mode = 'pass'
    expect((await connecting).endpoint).toBe(proxy.url)
    await proxy.close()
  })

  it('does not retry on a wrong network, nor longer than allowed', async () => {
    subnet = await startSubnet()
    const genesisHash = `0x${'1'.repeat(64)}`
    const both = [subnet.dev.url, subnet.dev.url]
    await expect(
      subnet.connect({ endpoints: both, genesisHash, firstConnectMs: 60_000 }),
    ).rejects.toMatchObject({ code: 'CHAIN_WRONG_NETWORK', fault: 'chain' })
    const endpoints = ['ws://127.0.0.1:1']
    await expect(subnet.connect({ endpoints, firstConnectMs: 300 })).rejects.toMatchObject({
      code: 'CHAIN_UNREACHABLE',
    })
  })

  it('moves on to the next endpoint at the start', async () => {
    subnet = await startSubnet()
    const chain = await subnet.connect({ endpoints: ['ws://127.0.0.1:1', subnet.dev.url] })
    expect(chain.endpoint).toBe(subnet.dev.url)
  })

  it('stays on the network it found first, although the operator named none (T-C4)', async () => {
    subnet = await startSubnet()
    const other = await startDevelopmentChain({ sealing: 'manual', netuid: 5 })
    const proxy = await startFaultProxy(subnet.dev.url)
    const chain = await subnet.connect({ endpoints: [proxy.url, other.url] })
    proxy.mode = 'refuse'
    proxy.drop('reset')
    const failed = () => subnet.log.lines.filter(({ event }) => event === 'chain-endpoint-failed')
    await expect
      .poll(() => failed().map(({ fields }) => fields.err))
      .toContainEqual(expect.objectContaining({ code: 'CHAIN_WRONG_NETWORK' }))
    expect(chain.endpoint).toBe(proxy.url)
    proxy.mode = 'pass'
    await expect.poll(() => chain.reconnects, { timeout: 15_000 }).toBe(1)
    expect(chain.endpoint).toBe(proxy.url)
    expect((await chain.metagraph(4)).neurons).toHaveLength(4)
    await proxy.close()
    await other.close()
  }, 30_000)

  it('rejects an endpoint of another network by its genesis (T-C4)', async () => {
    subnet = await startSubnet()
    await expect(subnet.connect({ genesisHash: `0x${'1'.repeat(64)}` })).rejects.toMatchObject({
      code: 'CHAIN_WRONG_NETWORK',
    })
  })
})
