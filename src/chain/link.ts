import { z } from 'zod'
import { TargonError } from '../kernel/index.js'
import type { LinkContext } from './context.js'
import { openRpc, type RequestOptions, type Rpc } from './rpc.js'
import { loadRuntime, type Runtime } from './runtime.js'
import type { BlockHead } from './types.js'

/** A connection whose genesis was checked and whose runtime was read. */
export interface Link {
  readonly rpc: Rpc
  readonly runtime: Runtime
}

/** @throws TargonError CHAIN_WRONG_NETWORK when the genesis differs; whatever connecting and reading throw. */
export async function openLink(endpoint: string, context: LinkContext): Promise<Link> {
  const rpc = await openRpc(endpoint, context)
  try {
    const runtime = await loadRuntime(rpc, context)
    if (context.genesisHash !== undefined && runtime.genesisHash !== context.genesisHash) {
      throw new TargonError(`${endpoint} serves another network (genesis ${runtime.genesisHash}).`, {
        code: 'CHAIN_WRONG_NETWORK',
        fault: 'chain',
        next: 'Check --subtensor.network and --subtensor.chain_endpoint.',
        facts: { endpoint, genesisHash: runtime.genesisHash, expected: context.genesisHash },
      })
    }
    return { rpc, runtime }
  } catch (error) {
    rpc.close()
    throw error
  }
}

/** Runs `work` on a temporary link. */
export async function withLink<T>(
  endpoint: string,
  context: LinkContext,
  work: (link: Link) => Promise<T>,
): Promise<T> {
  const link = await openLink(endpoint, context)
  try {
    return await work(link)
  } finally {
    link.rpc.close()
  }
}

const headerSchema = z.object({
  number: z.string().regex(/^0x[0-9a-f]{1,8}$/i),
  parentHash: z.string(),
})

/** Number and hash of a header; nodes leave the hash to the client. */
export function readHeader(runtime: Runtime, header: unknown): BlockHead {
  const { number } = headerSchema.parse(header)
  return {
    number: Number(number),
    hash: runtime.types.registry.createTypeUnsafe('Header', [header]).hash.toHex(),
  }
}

/** The best or the newest finalized block of the node. */
export async function readHead(
  { rpc, runtime }: Link,
  kind: 'best' | 'finalized' = 'best',
  options?: RequestOptions,
): Promise<BlockHead> {
  const hash = kind === 'finalized' ? [await rpc.request('chain_getFinalizedHead', [], options)] : []
  return readHeader(runtime, await rpc.request('chain_getHeader', hash, options))
}
