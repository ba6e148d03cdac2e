import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Link, withLink } from '../../src/chain/link.js'
import { readMetadata } from '../../src/chain/metadata.js'
import { openRpc } from '../../src/chain/rpc.js'
import { systemClock } from '../../src/kernel/clock.js'
import { type DevelopmentChain, startDevelopmentChain } from '../../src/localnet/chain/index.js'
import { type LyingEndpoint, startLyingEndpoint } from '../support/lying-endpoint.js'

const context = { clock: systemClock, rpcTimeoutMs: 8000 }
const typesOf = (url: string) => withLink(url, context, async ({ runtime }: Link) => runtime.types)

let chain: DevelopmentChain
let endpoint: LyingEndpoint
beforeAll(async () => {
  chain = await startDevelopmentChain({ sealing: 'manual' })
  endpoint = await startLyingEndpoint(chain.url)
})
afterAll(async () => {
  await endpoint.close()
  await chain.close()
})

describe('the metadata of a runtime', () => {
  it('is decoded once for all connections whose nodes send the same', async () => {
    const types = await typesOf(chain.url)
    expect(await typesOf(chain.url)).toBe(types)
    expect(await typesOf(endpoint.url)).toBe(types)
  })

  it('is decoded anew where a node sends something else, and kept for two runtimes at a time', async () => {
    const types = await typesOf(chain.url)
    const second = await startDevelopmentChain({ sealing: 'manual', specVersion: 461 })
    const third = await startDevelopmentChain({ sealing: 'manual', specVersion: 419 })
    try {
      const other = await typesOf(second.url)
      expect(other).not.toBe(types)
      expect(await typesOf(chain.url)).toBe(types)
      await typesOf(third.url)
      expect(await typesOf(chain.url)).toBe(types)
      expect(await typesOf(second.url)).not.toBe(other)
    } finally {
      await second.close()
      await third.close()
    }
  })

  it.each([
    ['offers no version that is known', 'Metadata_metadata_versions', '0x040d000000'],
    ['has none of the version it offers', 'Metadata_metadata_at_version', '0x00'],
  ])('is asked for the old way when the node %s', async (_, name, answer) => {
    const rpc = await openRpc(endpoint.url, context)
    try {
      expect((await readMetadata(rpc))[4]).toBe(16)
      endpoint.lies.set('state_call', (result, [method]) => (method === name ? answer : result))
      expect((await readMetadata(rpc))[4]).toBe(14)
    } finally {
      endpoint.lies.clear()
      rpc.close()
    }
  })

  it.each([
    ['state_call', '0x'],
    ['state_getRuntimeVersion', {}],
    ['chain_getBlockHash', '0x00'],
  ])('is not understood when %s returns %j', async (method, answer) => {
    endpoint.lies.set(method, () => answer)
    await expect(typesOf(endpoint.url)).rejects.toMatchObject({ code: 'CHAIN_METADATA', fault: 'chain' })
    endpoint.lies.clear()
  })
})
