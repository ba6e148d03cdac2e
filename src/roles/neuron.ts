import type { SubtensorClient } from '../chain/index.js'
import type { Clock } from '../kernel/index.js'
import { loadHotkey, type Signer } from '../wallet/index.js'
import type { RoleDeps } from './role.js'

/** The settings that select the hotkey and the chain. */
export interface NeuronPlace {
  readonly 'wallet.path': string
  readonly 'wallet.name': string
  readonly 'wallet.hotkey': string
  readonly 'wallet.password_file': string | undefined
  readonly 'subtensor.network': string
  readonly 'subtensor.chain_endpoint': readonly string[]
  readonly 'subtensor.fallback_endpoints'?: readonly string[] | undefined
}

export interface PasswordSources {
  /** `BT_PW_*` variables. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly prompt?: ((question: string) => Promise<string | undefined>) | undefined
}

/** @throws TargonError WALLET_* (fault usage) */
export function loadNeuronHotkey(place: NeuronPlace, sources: PasswordSources): Promise<Signer> {
  return loadHotkey({
    path: place['wallet.path'],
    name: place['wallet.name'],
    hotkey: place['wallet.hotkey'],
    passwordFile: place['wallet.password_file'],
    variables: sources.variables,
    prompt: sources.prompt,
  })
}

/** How long a role waits at its start for an unreachable chain; then it exits and the supervisor restarts it. */
export const ROLE_FIRST_CONNECT_MS = 300_000

/**
 * Connects to the chain. The signal only ends the connecting, because a draining role still reads the chain; the caller
 * closes the client.
 *
 * @param networkGiven the network was set explicitly, so that configured endpoints must have its genesis.
 * @throws TargonError NETWORK_UNKNOWN, ENDPOINT_INVALID (usage), CHAIN_UNREACHABLE (unreachable)
 */
export async function connectNeuronChain(
  place: NeuronPlace,
  networkGiven: boolean,
  {
    clock,
    log,
    signal,
    firstConnectMs = 0,
  }: {
    readonly clock: Clock
    readonly log: RoleDeps['log']
    readonly signal: AbortSignal
    /** How long to retry the first connection; 0 tries once. */
    readonly firstConnectMs?: number
  },
): Promise<SubtensorClient> {
  // @polkadot/types takes most of a second to load; imported here so that a wrong wallet is reported first
  const { connectSubtensor, networkEndpoints } = await import('../chain/index.js')
  const options = networkEndpoints({
    network: place['subtensor.network'],
    endpoints: place['subtensor.chain_endpoint'],
    fallbacks: place['subtensor.fallback_endpoints'],
    networkGiven,
  })
  const connecting = new AbortController()
  const abortConnecting = () => connecting.abort(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', abortConnecting, { once: true })
  try {
    return await connectSubtensor({ ...options, firstConnectMs }, { clock, log, signal: connecting.signal })
  } finally {
    signal.removeEventListener('abort', abortConnecting)
  }
}
