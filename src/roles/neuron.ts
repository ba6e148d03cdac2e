import type { SubtensorClient } from '../chain/index.js'
import type { Clock } from '../kernel/index.js'
import { loadHotkey, type Signer } from '../wallet/index.js'
import type { RoleDeps } from './role.js'

/** Settings that say which hotkey on which chain. */
export interface NeuronPlace {
  readonly 'wallet.path': string
  readonly 'wallet.name': string
  readonly 'wallet.hotkey': string
  readonly 'wallet.password_file': string | undefined
  readonly 'subtensor.network': string
  readonly 'subtensor.chain_endpoint': readonly string[]
}

export interface PasswordWays {
  /** `BT_PW_*` variables. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly prompt?: ((question: string) => Promise<string | undefined>) | undefined
}

/** @throws TargonError WALLET_* (fault usage) */
export function loadNeuronHotkey(place: NeuronPlace, ways: PasswordWays): Promise<Signer> {
  return loadHotkey({
    path: place['wallet.path'],
    name: place['wallet.name'],
    hotkey: place['wallet.hotkey'],
    passwordFile: place['wallet.password_file'],
    variables: ways.variables,
    prompt: ways.prompt,
  })
}

/** A role that starts while its chain is away waits for it; then a supervisor starts it anew. */
export const ROLE_FIRST_CONNECT_MS = 300_000

/**
 * The signal only ends the connecting: a role that drains still reads the chain, and its opener closes it afterwards.
 *
 * @param networkGiven somebody named the network: endpoints of one's own must then show its genesis.
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
    /** How long the first connection is tried. */
    readonly firstConnectMs?: number
  },
): Promise<SubtensorClient> {
  // @polkadot/api takes a second to load: a wrong wallet should be told before
  const { connectSubtensor, networkEndpoints } = await import('../chain/index.js')
  const options = networkEndpoints({
    network: place['subtensor.network'],
    endpoints: place['subtensor.chain_endpoint'],
    networkGiven,
  })
  const life = new AbortController()
  const give = () => life.abort(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', give, { once: true })
  try {
    return await connectSubtensor({ ...options, firstConnectMs }, { clock, log, signal: life.signal })
  } finally {
    signal.removeEventListener('abort', give)
  }
}
