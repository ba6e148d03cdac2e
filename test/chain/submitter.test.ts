import { afterEach, describe, expect, it } from 'vitest'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet
const proxies: FaultProxy[] = []

afterEach(async () => {
  await subnet.close()
  for (const proxy of proxies.splice(0)) await proxy.close()
})

async function connectThroughProxies() {
  subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100 })
  for (let opened = 0; opened < 2; opened++) proxies.push(await startFaultProxy(subnet.dev.url))
  const chain = await subnet.connect({ endpoints: proxies.map(({ url }) => url) })
  const from = chain.head().number
  await expect.poll(() => chain.head().number).toBeGreaterThan(from + 1)
  return { chain, proxies }
}

const vector = { netuid: 4, uids: [2, 3], scores: [1, 0.5], versionKey: 404_010 }

/** Produces blocks, which rate limits count. */
function mine(blocks: number): void {
  for (let made = 0; made < blocks; made++) subnet.dev.chain.produceBlock()
}

describe('Submitter', () => {
  it('uses another endpoint when the current one refuses new connections', async () => {
    const { chain, proxies } = await connectThroughProxies()
    if (proxies[0]) proxies[0].mode = 'refuse'
    const result = await chain.serveAxon(await hotkeyOf(2), { netuid: 4, ip: '10.0.0.1', port: 1 })
    expect(result).toMatchObject({ kind: 'served' })
    expect(chain.endpoint).toBe(proxies[0]?.url)
  })

  it('opens a connection of its own for every extrinsic', async () => {
    const { chain, proxies } = await connectThroughProxies()
    const before = proxies[0]?.accepted ?? 0
    await chain.serveAxon(await hotkeyOf(2), { netuid: 4, ip: '10.0.0.1', port: 1 })
    expect(proxies[0]?.accepted).toBe(before + 1)
  })

  it('runs simultaneous calls of one key one after the other', async () => {
    subnet = await startSubnet({ servingRateLimit: 0 })
    mine(4)
    const chain = await subnet.connect()
    const signer = await hotkeyOf(0)
    const results = await Promise.all([
      chain.serveAxon(signer, { netuid: 4, ip: '10.0.0.1', port: 1 }),
      chain.setWeights(signer, vector),
      chain.serveAxon(signer, { netuid: 4, ip: '10.0.0.2', port: 2 }),
    ])
    expect(results.map(({ kind }) => kind)).toEqual(['served', 'set', 'served'])
  })

  it('signs again after a runtime upgrade between signing and sending (T-C2, F17)', async () => {
    subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100, specVersion: 343 })
    const chain = await subnet.connect()
    mine(5)
    let signatures = 0
    const result = await chain.setWeights(await hotkeyOf(0), {
      ...vector,
      onSigned: async () => {
        if (signatures++ === 0) subnet.dev.upgrade(425)
      },
    })
    expect(result).toMatchObject({ kind: 'set' })
    expect(signatures).toBe(2)
  })
})
