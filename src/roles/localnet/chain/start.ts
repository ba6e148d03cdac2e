import { type Clock, systemClock } from '../../../clock.js'
import { initSr25519 } from '../../../sr25519.js'
import { writeGenesis } from './genesis.js'
import { BLOCK_HASH_COUNT, Chain, type Sealing, startSealing } from './node/index.js'
import { type DevelopmentChainOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { developmentMethods, interfaceOf, startRpcServer } from './rpc/index.js'
import { createRuntime, dialectOf } from './runtime/index.js'

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
  const chain = createChain(resolved, clock)
  const server = await startRpcServer(interfaceOf(chain, developmentMethods(chain)), resolved.port)

  const stopping = new AbortController()
  startSealing(chain, sealingOf(resolved), Math.max(1, resolved.finalityLag), {
    clock,
    signal: stopping.signal,
    onError,
  })
  const close = async () => {
    if (stopping.signal.aborted) return
    stopping.abort()
    await server.close()
  }
  signal?.addEventListener('abort', () => void close(), { once: true })
  return { url: server.url, httpUrl: server.httpUrl, chain, close }
}

function createChain(options: ResolvedOptions, clock: Clock): Chain {
  const { blockTimeMs, allowLoopbackAxon, netuid, keptBlocks } = options
  const runtime = createRuntime(dialectOf(options.specVersion), {
    blockTimeMs,
    blockHashCount: BLOCK_HASH_COUNT,
  })
  const parameters = { rules: { allowLoopbackAxon }, netuids: [netuid], keptBlocks, now: () => clock.now() }
  return new Chain(runtime, parameters, (storage) => writeGenesis(storage, options))
}

function rethrow(error: unknown): never {
  throw error
}

function sealingOf({ sealing, blockTimeMs }: ResolvedOptions): Sealing {
  return sealing === 'interval' ? { kind: 'interval', blockTimeMs } : { kind: sealing }
}
