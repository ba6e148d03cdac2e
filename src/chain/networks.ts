import { TargonError } from '../kernel/index.js'

/** A public Subtensor network. */
export interface Network {
  readonly name: string
  /** Tried in order. */
  readonly endpoints: readonly string[]
  /** Hash of block 0; an endpoint that shows another one is refused. Undefined accepts any. */
  readonly genesisHash: string | undefined
}

/** Block 0 of the main network, where money is at stake. */
export const FINNEY_GENESIS = '0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03'

/** bittensor settings.py; the fallbacks of finney are those of the newer SDK. Test chains are reset, so have no pin. */
export const NETWORKS: readonly Network[] = [
  {
    name: 'finney',
    endpoints: [
      'wss://entrypoint-finney.opentensor.ai:443',
      'wss://lite.chain.opentensor.ai:443',
      'wss://lite.sub.latent.to:443',
    ],
    genesisHash: FINNEY_GENESIS,
  },
  { name: 'archive', endpoints: ['wss://archive.chain.opentensor.ai:443'], genesisHash: FINNEY_GENESIS },
  { name: 'test', endpoints: ['wss://test.finney.opentensor.ai:443'], genesisHash: undefined },
  { name: 'local', endpoints: ['ws://127.0.0.1:9944'], genesisHash: undefined },
]

/** What the operator chose. */
export interface NetworkChoice {
  /** Name of a network, or a ws:// or wss:// address. */
  readonly network: string
  /** Endpoints to use instead of the network's own. */
  readonly endpoints?: readonly string[]
  /** True when the network was named on purpose: own endpoints must then show its genesis too. */
  readonly networkGiven?: boolean
}

/**
 * Endpoints and, where it is known, the genesis hash they must show.
 *
 * @throws TargonError NETWORK_UNKNOWN or ENDPOINT_INVALID (fault usage).
 */
export function networkEndpoints({ network, endpoints = [], networkGiven = false }: NetworkChoice): {
  readonly endpoints: readonly string[]
  readonly genesisHash?: string
} {
  const known = NETWORKS.find(({ name }) => name === network.toLowerCase())
  if (!known && !isEndpoint(network)) {
    throw new TargonError(`There is no network ${JSON.stringify(network)}.`, {
      code: 'NETWORK_UNKNOWN',
      fault: 'usage',
      next: `Use one of ${NETWORKS.map(({ name }) => name).join(', ')}, or a ws:// or wss:// address.`,
    })
  }
  for (const endpoint of endpoints) {
    if (!isEndpoint(endpoint)) {
      throw new TargonError(`${JSON.stringify(endpoint)} is no chain endpoint.`, {
        code: 'ENDPOINT_INVALID',
        fault: 'usage',
        next: 'Give ws://host:port or wss://host:port.',
      })
    }
  }
  if (endpoints.length === 0) {
    const pinned = known?.genesisHash
    return { endpoints: known?.endpoints ?? [network], ...(pinned ? { genesisHash: pinned } : {}) }
  }
  const pinned = networkGiven ? known?.genesisHash : undefined
  return { endpoints, ...(pinned ? { genesisHash: pinned } : {}) }
}

function isEndpoint(text: string): boolean {
  return /^wss?:\/\/[^\s/]+/.test(text) && URL.canParse(text)
}
