import { z } from 'zod'
import { type Clock, TargonError } from '../kernel/index.js'
import { openRpc, type RequestOptions, type Rpc } from './rpc.js'
import { loadRuntime, type Runtime } from './runtime.js'
import type { BlockHead } from './types.js'

/** A connection that has passed its checks: known genesis, understood runtime. */
export interface Link {
  readonly rpc: Rpc
  readonly runtime: Runtime
}

export interface LinkOptions {
  readonly clock: Clock
  readonly rpcTimeoutMs: number
  /** Genesis every endpoint must show; undefined accepts any. */
  readonly genesisHash?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** @throws TargonError CHAIN_WRONG_NETWORK when the genesis differs; whatever opening and reading throw. */
export async function openLink(endpoint: string, options: LinkOptions): Promise<Link> {
  const { clock, rpcTimeoutMs, signal } = options
  const rpc = await openRpc(endpoint, { clock, timeoutMs: rpcTimeoutMs, signal })
  try {
    const runtime = await loadRuntime(rpc, clock, rpcTimeoutMs, signal)
    if (options.genesisHash !== undefined && runtime.genesisHash !== options.genesisHash) {
      throw new TargonError(`${endpoint} serves another network: its genesis is ${runtime.genesisHash}.`, {
        code: 'CHAIN_WRONG_NETWORK',
        fault: 'chain',
        next: 'Check --subtensor.network and --subtensor.chain_endpoint.',
        facts: { endpoint, genesisHash: runtime.genesisHash, expected: options.genesisHash },
      })
    }
    return { rpc, runtime }
  } catch (error) {
    rpc.close()
    throw error
  }
}

const headerSchema = z.object({
  number: z.string().regex(/^0x[0-9a-f]{1,8}$/i),
  parentHash: z.string(),
})

/** Number and hash of a header; the hash is computed here, as every client does. */
export function readHeader(runtime: Runtime, header: unknown): BlockHead {
  const { number } = headerSchema.parse(header)
  return {
    number: Number(number),
    hash: runtime.api.registry.createTypeUnsafe('Header', [header]).hash.toHex(),
  }
}

/** The node's best block, or its newest final one. */
export async function readHead(
  { rpc, runtime }: Link,
  kind: 'best' | 'finalized' = 'best',
  options?: RequestOptions,
): Promise<BlockHead> {
  const hash = kind === 'finalized' ? [await rpc.request('chain_getFinalizedHead', [], options)] : []
  return readHeader(runtime, await rpc.request('chain_getHeader', hash, options))
}
