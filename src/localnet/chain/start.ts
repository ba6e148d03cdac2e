import { type Clock, initSr25519, systemClock } from '../../kernel/index.js'
import { DevelopmentBeacon } from './beacon/index.js'
import { writeGenesis } from './genesis.js'
import { BLOCK_HASH_COUNT, Chain, type Sealing, startSealing } from './node/index.js'
import { type DevelopmentChainOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { Faults, startRpcServer } from './rpc/index.js'
import { createRuntime, dialectOf, type EpochConsensus, type Runtime } from './runtime/index.js'
import type { StorageWriter } from './storage/index.js'
import { type ReadContext, setConsensus, trimUids } from './subtensor/index.js'

export interface DevelopmentChainDeps {
  readonly clock?: Clock
  /** Aborting it has the effect of `close`. */
  readonly signal?: AbortSignal
  /** Called when producing a block throws. By default the error is rethrown, because it is a bug in the chain. */
  readonly onError?: (error: unknown) => void
}

export interface DevelopmentChain {
  readonly url: string
  readonly httpUrl: string
  readonly chain: Chain
  readonly faults: Faults
  /**
   * Switches to the runtime of another spec version in a new block.
   *
   * @param without names of calls, events, storage items, extensions and `Api_method`s that the runtime lacks
   * @throws RangeError for a spec version below the oldest dialect
   */
  upgrade(specVersion: number, without?: readonly string[]): void
  /**
   * Removes the neurons with the lowest emission until `maxUids` are left and renumbers the others, in a new block.
   *
   * @throws DispatchError InvalidValue when the real call would refuse
   */
  trimUids(maxUids: number): void
  /**
   * Switches the consensus of the subnet in a new block; permits change with the next epoch.
   *
   * @throws RangeError when the runtime has only Yuma consensus
   * @throws DispatchError InvalidValue when the real call would refuse
   */
  setConsensus(mode: EpochConsensus): void
  /** Stops producing blocks and disconnects all clients. */
  close(): Promise<void>
}

/**
 * Starts a Substrate node with one subnet in this process.
 *
 * @throws TargonError PORT_IN_USE; RangeError for a spec version below the oldest dialect, or without the consensus asked for
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
  const trim = (maxUids: number) =>
    changeSubnet(chain, (context) => trimUids(context, resolved.netuid, maxUids))
  const switchConsensus = (mode: EpochConsensus) =>
    changeSubnet(chain, (context) => setConsensus(context, resolved.netuid, mode))
  const actions = { upgrade, trimUids: trim, setConsensus: switchConsensus }
  const server = await startRpcServer({ chain, faults, actions, clock }, resolved.port)

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
  return { url: server.url, httpUrl: server.httpUrl, chain, faults, ...actions, close }
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
  const runtime = runtimeOf(options.specVersion, options)
  return new Chain(runtime, parameters, (storage) => {
    writeGenesis(storage, options, runtime.dialect, beacon, now())
  })
}

/** Does what an owner can do in the state of a new block, or nothing when it throws. */
function changeSubnet(
  chain: Chain,
  change: (context: ReadContext & { readonly storage: StorageWriter }) => void,
): void {
  const { storage, state, head, runtime } = chain
  state.transact(() => change({ storage, dialect: runtime.dialect, block: head.number }))
  chain.produceBlock()
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
