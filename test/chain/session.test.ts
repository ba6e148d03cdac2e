import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SubtensorClient } from '../../src/chain/index.js'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet
let proxies: FaultProxy[]

beforeEach(async () => {
  subnet = await startSubnet({ sealing: 'interval', blockTimeMs: 100 })
  proxies = [await startFaultProxy(subnet.dev.url), await startFaultProxy(subnet.dev.url)]
})

afterEach(async () => {
  await subnet.close()
  for (const proxy of proxies) await proxy.close()
})

const endpoints = () => proxies.map(({ url }) => url)

/** Resolves with the second new head. */
async function nextHead(chain: SubtensorClient): Promise<number> {
  const from = chain.head().number
  const end = new AbortController()
  for await (const { number } of chain.blocks(end.signal)) {
    if (number > from + 1) return number
  }
  throw new Error('the stream ended')
}

describe('Session: a lost connection is replaced by the next endpoint (T-C1)', () => {
  it.each(['reset', 'close'] as const)('continues after a %s, without repeating a head', async (how) => {
    const chain = await subnet.connect({ endpoints: endpoints() })
    const seen: number[] = []
    const end = new AbortController()
    const reading = (async () => {
      for await (const { number } of chain.blocks(end.signal)) seen.push(number)
    })()
    await nextHead(chain)
    if (proxies[0]) proxies[0].mode = 'refuse'
    proxies[0]?.drop(how)
    // A head in transit may still arrive over the old connection.
    await expect.poll(() => chain.endpoint).toBe(proxies[1]?.url)
    await nextHead(chain)
    expect(chain.reconnects).toBe(1)
    end.abort()
    await reading
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b))
  })

  it('leaves a silent endpoint once its head is too old', async () => {
    const chain = await subnet.connect({ endpoints: endpoints(), headTimeoutMs: 700 })
    await nextHead(chain)
    if (proxies[0]) proxies[0].mode = 'silent'
    await expect.poll(() => chain.endpoint).toBe(proxies[1]?.url)
    await nextHead(chain)
    expect(subnet.log.lines).toContainEqual(
      expect.objectContaining({
        event: 'chain-disconnected',
        fields: expect.objectContaining({ reason: expect.stringMatching(/no new head/) }),
      }),
    )
  })

  it('repeats a read that times out on the next endpoint', async () => {
    const chain = await subnet.connect({ endpoints: endpoints(), rpcTimeoutMs: 3000 })
    await nextHead(chain)
    if (proxies[0]) proxies[0].mode = 'silent'
    const metagraph = await chain.metagraph(4)
    expect(metagraph.neurons).toHaveLength(4)
    expect(chain.endpoint).toBe(proxies[1]?.url)
  })

  it('fails reads while all endpoints are down, and recovers with the first that returns', async () => {
    const chain = await subnet.connect({ endpoints: endpoints(), rpcTimeoutMs: 3000 })
    for (const proxy of proxies) {
      proxy.mode = 'refuse'
      proxy.drop('reset')
    }
    await expect(chain.metagraph(4)).rejects.toMatchObject({ fault: 'unreachable' })
    if (proxies[1]) proxies[1].mode = 'pass'
    await nextHead(chain)
    expect((await chain.metagraph(4)).neurons).toHaveLength(4)
  })

  it('rejects an aborted read with the abort reason', async () => {
    const chain = await subnet.connect({ endpoints: endpoints() })
    if (proxies[0]) proxies[0].mode = 'silent'
    const end = new AbortController()
    const reading = chain.metagraph(4, end.signal)
    end.abort()
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('leaves an endpoint that responds but whose head does not advance', async () => {
    const still = await startSubnet({ sealing: 'manual' })
    try {
      const chain = await still.connect({ endpoints: [still.dev.url], headTimeoutMs: 300 })
      await expect.poll(() => chain.reconnects).toBeGreaterThan(0)
    } finally {
      await still.close()
    }
  })

  it('reconnects to the same endpoint after a runtime upgrade (T-C2, F17)', async () => {
    const upgraded = await startSubnet({ sealing: 'interval', blockTimeMs: 100, specVersion: 343 })
    const chain = await upgraded.connect()
    expect(chain.specVersion).toBe(343)
    upgraded.dev.upgrade(425)
    await expect.poll(() => chain.specVersion).toBe(425)
    expect((await chain.metagraph(4)).neurons).toHaveLength(4)
    expect(chain.endpoint).toBe(upgraded.dev.url)
    await upgraded.close()
  })

  it('hides repeated heads and parents (T-C3)', async () => {
    subnet.dev.faults.set({ repeatedHeads: true })
    const chain = await subnet.connect()
    const seen: number[] = []
    for await (const { number } of chain.blocks(new AbortController().signal)) {
      seen.push(number)
      if (seen.length === 8) break
    }
    expect(seen.every((number, index) => index === 0 || number > (seen[index - 1] ?? 0))).toBe(true)
  })
})
