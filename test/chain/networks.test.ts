import { describe, expect, it } from 'vitest'
import { FINNEY_GENESIS, networkEndpoints } from '../../src/chain/index.js'

describe('networkEndpoints', () => {
  it('has several endpoints and a pinned genesis for finney', () => {
    const { endpoints, genesisHash } = networkEndpoints({ network: 'finney' })
    expect(endpoints[0]).toBe('wss://entrypoint-finney.opentensor.ai:443')
    expect(endpoints.length).toBeGreaterThan(1)
    expect(genesisHash).toBe(FINNEY_GENESIS)
  })

  it('takes a URL as a network', () => {
    expect(networkEndpoints({ network: 'ws://127.0.0.1:9000' })).toEqual({
      endpoints: ['ws://127.0.0.1:9000'],
    })
  })

  it('replaces endpoints and genesis of the default network by custom endpoints', () => {
    expect(networkEndpoints({ network: 'finney', endpoints: ['ws://a:1', 'ws://b:2'] })).toEqual({
      endpoints: ['ws://a:1', 'ws://b:2'],
    })
  })

  it('keeps the genesis for custom endpoints of an explicit network', () => {
    const choice = { network: 'finney', endpoints: ['ws://a:1'], networkGiven: true }
    expect(networkEndpoints(choice).genesisHash).toBe(FINNEY_GENESIS)
  })

  it.each([
    [{ network: 'fini' }, 'NETWORK_UNKNOWN'],
    [{ network: 'http://x' }, 'NETWORK_UNKNOWN'],
    [{ network: 'finney', endpoints: ['example.org:9944'] }, 'ENDPOINT_INVALID'],
    [{ network: 'finney', endpoints: ['ws://'] }, 'ENDPOINT_INVALID'],
  ])('rejects %j', (choice, code) => {
    expect(() => networkEndpoints(choice)).toThrow(expect.objectContaining({ code, fault: 'usage' }))
  })

  it('tries the given fallbacks after the first endpoint, instead of those of the network', () => {
    const fallbacks = ['ws://x:1', 'ws://y:2']
    expect(networkEndpoints({ network: 'finney', fallbacks })).toEqual({
      endpoints: ['wss://entrypoint-finney.opentensor.ai:443', ...fallbacks],
      genesisHash: FINNEY_GENESIS,
    })
    expect(networkEndpoints({ network: 'finney', fallbacks: [] }).endpoints).toHaveLength(1)
    expect(networkEndpoints({ network: 'ws://a:1', fallbacks }).endpoints).toEqual(['ws://a:1', ...fallbacks])
    expect(networkEndpoints({ network: 'local', endpoints: ['ws://a:1', 'ws://x:1'], fallbacks })).toEqual({
      endpoints: ['ws://a:1', 'ws://x:1', 'ws://y:2'],
    })
    expect(() => networkEndpoints({ network: 'local', fallbacks: ['http://a'] })).toThrow(
      /not a chain endpoint/,
    )
  })

  it('knows the network devnet of SDK 11', () => {
    expect(networkEndpoints({ network: 'devnet' })).toEqual({
      endpoints: ['wss://dev.chain.opentensor.ai:443'],
    })
  })
})
