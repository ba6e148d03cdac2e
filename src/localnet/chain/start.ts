import { type Clock, initSr25519, systemClock } from '../../kernel/index.js'
import { DevelopmentBeacon } from './beacon/index.js'
import { writeGenesis } from './genesis.js'
import { BLOCK_HASH_COUNT, Chain, type Sealing, startSealing } from './node/index.js'
import { type DevelopmentChainOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { developmentMethods, Faults, rpcModuleOf, startRpcServer } from './rpc/index.js'
import { createRuntime, dialectOf, type Runtime } from './runtime/index.js'
import { writeBeaconGenesis } from './subtensor/index.js'

export interface DevelopmentChainDeps {
  readonly clock?: Clock
  /** Ends the chain as `close` does. */
  readonly signal?: AbortSignal
  /** A block could not be made. By default the error goes on as an unhandled rejection: it is a bug of the chain. */
  readonly onError?: (error: unknown) => void
}

export interface DevelopmentChain {
  readonly url: string
  readonly httpUrl: string
  readonly chain: Chain
  readonly faults: Faults
  /**
   * Puts the runtime of another spec version in force, in a block of its own; `without` takes calls, events,
   * storage items, extensions and `Api_method`s away from it by name.
   *
   * @throws RangeError for a spec version below the oldest dialect.
   */
  upgrade(specVersion: number, without?: readonly string[]): void
  /** Stops making blocks and drops all clients. */
  close(): Promise<void>
}

/**
 * Starts a Substrate node with one subnet in this process.
 *
 * @throws TargonError PORT_IN_USE; RangeError for an unknown dialect.
 */
export async function startDevelopmentChain(
  options: DevelopmentChainOptions = {},
  { clock = systemClock, signal, onError = rethrow }: DevelopmentChainDeps = {},
): Promise<DevelopmentChain> {
  signal?.throwIfAborted()
  await initSr25519()
  const resolved = resolveOptions(options)
  const faults = new Faults()
  const chain = createChain(resolved, clock, faults)
  const upgrade = (specVersion: number, without: readonly string[] = []) =>
    chain.upgradeRuntime(runtimeOf(specVersion, resolved, without))
  const rpc = rpcModuleOf(chain, faults, developmentMethods(chain, faults, upgrade))
  const server = await startRpcServer(rpc, faults, clock, resolved.port)

  const stopping = new AbortController()
  startSealing(chain, sealingOf(resolved), Math.max(1, resolved.finalityLag), {
    clock,
    signal: stopping.signal,
    isStalled: () => faults.settings.stalled,
    onError,
  })
  const close = async () => {
    if (stopping.signal.aborted) return
    stopping.abort()
    await server.close()
  }
  signal?.addEventListener('abort', () => void close(), { once: true })
  return { url: server.url, httpUrl: server.httpUrl, chain, faults, upgrade, close }
}

function createChain(options: ResolvedOptions, clock: Clock, faults: Faults): Chain {
  const { allowLoopbackAxon, netuid, keptBlocks } = options
  const beacon = new DevelopmentBeacon(options.beaconPeriodSeconds)
  const now = () => clock.now()
  const parameters = {
    rules: { allowLoopbackAxon },
    netuids: [netuid],
    keptBlocks,
    beacon,
    isBeaconSilent: () => faults.settings.beaconSilent,
    now,
  }
  return new Chain(runtimeOf(options.specVersion, options), parameters, (storage) => {
    writeGenesis(storage, options)
    writeBeaconGenesis(storage, beacon, now())
  })
}

function rethrow(error: unknown): never {
  throw error
}

function runtimeOf(
  specVersion: number,
  { blockTimeMs }: ResolvedOptions,
  without: readonly string[] = [],
): Runtime {
  const dialect = dialectOf(specVersion)
  return createRuntime(
    { ...dialect, omitted: [...dialect.omitted, ...without] },
    { blockTimeMs, blockHashCount: BLOCK_HASH_COUNT },
  )
}

function sealingOf({ sealing, blockTimeMs }: ResolvedOptions): Sealing {
  return sealing === 'interval' ? { kind: 'interval', blockTimeMs } : { kind: sealing }
}
