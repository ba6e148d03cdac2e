import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SubtensorClient } from '../../src/chain/index.js'
import { startFaultProxy } from '../support/fault-proxy.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { type Subnet, startSubnet } from './subnet.js'

let subnet: Subnet
let chain: SubtensorClient

/** Far below every deadline of these clients: what ends sooner was ended by the signal. */
const AT_ONCE_MS = 20_000

beforeEach(async () => {
  subnet = await startSubnet({ sealing: 'manual' })
  chain = await subnet.connect({ rpcTimeoutMs: 60_000, inclusionTimeoutMs: 60_000, headTimeoutMs: 60_000 })
})

afterEach(async () => {
  subnet.dev.faults.clear()
  await subnet.close()
})

const axon = { netuid: 4, ip: '10.0.0.1', port: 8091 }
const vector = { netuid: 4, uids: [2, 3], scores: [1, 0.5], versionKey: 404_010 }

/** Aborts a call and returns how long it took to reject. */
async function stop(call: Promise<unknown>, end: AbortController): Promise<number> {
  const from = performance.now()
  end.abort(new DOMException('stopped by SIGTERM', 'AbortError'))
  await expect(call).rejects.toMatchObject({ name: 'AbortError', message: 'stopped by SIGTERM' })
  return performance.now() - from
}

describe('an abort does not wait for a silent chain', () => {
  it('while reading the announced address', async () => {
    subnet.dev.faults.set({ silent: true })
    const end = new AbortController()
    const serving = chain.serveAxon(await hotkeyOf(2), axon, end.signal)
    expect(await stop(serving, end)).toBeLessThan(AT_ONCE_MS)
  })

  it('while connecting for the announcement', async () => {
    const proxy = await startFaultProxy(subnet.dev.url)
    const relayed = await subnet.connect({ endpoints: [proxy.url], rpcTimeoutMs: 60_000 })
    const end = new AbortController()
    const serving = relayed.serveAxon(await hotkeyOf(2), axon, end.signal)
    await expect.poll(() => proxy.accepted, { interval: 1 }).toBe(2)
    subnet.dev.faults.set({ silent: true })
    expect(await stop(serving, end)).toBeLessThan(AT_ONCE_MS)
    await relayed.close()
    await proxy.close()
  })

  it('while waiting for the announcement to be included', async () => {
    const end = new AbortController()
    const serving = chain.serveAxon(await hotkeyOf(2), axon, end.signal)
    await expect.poll(() => subnet.dev.chain.pool.entries.length).toBe(1)
    subnet.dev.faults.set({ silent: true })
    expect(await stop(serving, end)).toBeLessThan(AT_ONCE_MS)
  })

  it('while waiting for another extrinsic of the same key', async () => {
    const [first, second] = [new AbortController(), new AbortController()]
    const signer = await hotkeyOf(2)
    const before = chain.serveAxon(signer, axon, first.signal)
    await expect.poll(() => subnet.dev.chain.pool.entries.length).toBe(1)
    const behind = chain.serveAxon(signer, { ...axon, port: 8092 }, second.signal)
    await chain.weightRules(4)
    expect(await stop(behind, second)).toBeLessThan(AT_ONCE_MS)
    expect(await stop(before, first)).toBeLessThan(AT_ONCE_MS)
  })

  it.each(['metagraph', 'weightRules', 'setWeights'] as const)('in %s', async (call) => {
    subnet.dev.faults.set({ silent: true })
    const end = new AbortController()
    const signer = await hotkeyOf(0)
    const calls = {
      metagraph: () => chain.metagraph(4, end.signal),
      weightRules: () => chain.weightRules(4, end.signal),
      setWeights: () => chain.setWeights(signer, vector, end.signal),
    }
    expect(await stop(calls[call](), end)).toBeLessThan(AT_ONCE_MS)
  })

  it('nor does closing the client', async () => {
    subnet.dev.faults.set({ silent: true })
    const from = performance.now()
    await chain.close()
    expect(performance.now() - from).toBeLessThan(AT_ONCE_MS)
  })
})
