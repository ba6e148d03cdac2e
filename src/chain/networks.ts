import { TargonError } from '../kernel/index.js'

/** A public Subtensor network. */
export interface Network {
  readonly name: string
  /** Tried in order. */
  readonly endpoints: readonly string[]
  /** Hash of block 0; endpoints with another one are rejected. Undefined accepts any. */
  readonly genesisHash: string | undefined
}

/** Hash of block 0 of the main network. */
export const FINNEY_GENESIS = '0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03'

/** From bittensor settings.py, finney's fallbacks from the newer SDK. Test networks get reset, so their genesis is not pinned. */
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
  { name: 'devnet', endpoints: ['wss://dev.chain.opentensor.ai:443'], genesisHash: undefined },
  { name: 'local', endpoints: ['ws://127.0.0.1:9944'], genesisHash: undefined },
]

/** The operator's choice. */
export interface NetworkChoice {
  /** Name of a network, or a ws:// or wss:// URL. */
  readonly network: string
  /** Endpoints to use instead of those of the network. */
  readonly endpoints?: readonly string[]
  /** Endpoints to try after the first one, instead of the network's others. */
  readonly fallbacks?: readonly string[] | undefined
  /** Whether the network was set explicitly; custom endpoints must then have its genesis. */
  readonly networkGiven?: boolean
}

/**
 * The endpoints and, where known, the genesis hash they must have.
 *
 * @throws TargonError NETWORK_UNKNOWN or ENDPOINT_INVALID (fault usage).
 */
export function networkEndpoints({
  network,
  endpoints = [],
  fallbacks,
  networkGiven = false,
}: NetworkChoice): {
  readonly endpoints: readonly string[]
  readonly genesisHash?: string
} {
  const known = NETWORKS.find(({ name }) => name === network.toLowerCase())
  if (!known && !isEndpoint(network)) {
    throw new TargonError(`Unknown network ${JSON.stringify(network)}.`, {
      code: 'NETWORK_UNKNOWN',
      fault: 'usage',
      next: `Use one of ${NETWORKS.map(({ name }) => name).join(', ')}, or a ws:// or wss:// URL.`,
    })
  }
  for (const endpoint of [...endpoints, ...(fallbacks ?? [])]) {
    if (!isEndpoint(endpoint)) {
      throw new TargonError(`${JSON.stringify(endpoint)} is not a chain endpoint.`, {
        code: 'ENDPOINT_INVALID',
        fault: 'usage',
        next: 'Use ws://host:port or wss://host:port.',
      })
    }
  }
  const [first = network, ...others] = endpoints.length > 0 ? endpoints : (known?.endpoints ?? [network])
  const isCustom = endpoints.length > 0
  const rest = isCustom ? [...others, ...(fallbacks ?? [])] : (fallbacks ?? others)
  const pinned = !isCustom || networkGiven ? known?.genesisHash : undefined
  return { endpoints: [...new Set([first, ...rest])], ...(pinned ? { genesisHash: pinned } : {}) }
}

function isEndpoint(text: string): boolean {
  return /^wss?:\/\/[^\s/]+/.test(text) && URL.canParse(text)
}
