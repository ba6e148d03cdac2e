import { z } from 'zod'
import { TargonError } from '../kernel/index.js'
import { findSubnetDifference, type SubnetDifference } from './compare-subnets.js'
import type { ChainContext } from './context.js'
import { readWeightRules } from './hyperparameters.js'
import { type Link, readHead, withLink } from './link.js'
import { LAG_TOLERANCE_BLOCKS } from './plausibility.js'
import type { ReadAt } from './runtime.js'
import type { Session } from './session.js'
import type { BlockHead, Metagraph } from './types.js'
import type { WeightRules } from './weights-types.js'

/** How another endpoint compares with the one in use, for one subnet and one hotkey. */
export type EndpointComparison =
  /** `rules`: what that endpoint says the weights must obey. */
  | { readonly kind: 'agrees'; readonly endpoint: string; readonly rules: WeightRules }
  /** No other endpoint is configured or responds. */
  | { readonly kind: 'alone' }
  | {
      readonly kind: 'differs'
      readonly endpoint: string
      readonly what: 'network' | 'head' | 'finalized block' | 'hotkey' | SubnetDifference['what']
      readonly ours: unknown
      readonly theirs: unknown
    }

type Difference = Extract<EndpointComparison, { kind: 'differs' }>

/** What is compared, and the signal of the call. */
export interface ComparedSubnet {
  readonly netuid: number
  readonly hotkey: string
  /** The metagraph that the weights were made of. */
  readonly last: Metagraph | undefined
  readonly readMetagraph: (link: Link, block: BlockHead) => Promise<Metagraph>
  readonly signal?: AbortSignal | undefined
}

/** A slow second endpoint must not cost an epoch. */
const CHECK_TIMEOUT_MS = 10_000

/**
 * Compares the endpoint in use with the other configured ones: height; at a block both have finalized, its hash, our
 * registration and every neuron; and the metagraph that the weights were made of with what the other endpoint shows for its
 * block. One that agrees is enough; one that does not respond is skipped.
 *
 * @throws whatever reading the endpoint in use throws: an endpoint that refuses to be compared has not agreed.
 */
export async function checkSecondEndpoint(
  context: ChainContext,
  session: Pick<Session, 'link'>,
  subnet: ComparedSubnet,
): Promise<EndpointComparison> {
  const { clock, log, endpoints } = context
  const { signal } = subnet
  const rpcTimeoutMs = Math.min(context.rpcTimeoutMs, CHECK_TIMEOUT_MS)
  let result: EndpointComparison = { kind: 'alone' }
  const { link } = session
  for (const endpoint of endpoints) {
    if (endpoint === link.rpc.endpoint) continue
    const { genesisHash } = link.runtime
    try {
      // Not through the session: a second endpoint that hangs must not cost the link in use.
      const compared = await withLink(endpoint, { clock, rpcTimeoutMs, genesisHash, signal }, (other) =>
        compare(link, other, subnet),
      )
      if (compared.kind === 'agrees') return compared
      result = compared
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof OwnFailure) throw error.cause
      if (error instanceof TargonError && error.code === 'CHAIN_WRONG_NETWORK') {
        const theirs = error.facts.genesisHash
        result = { kind: 'differs', endpoint, what: 'network', ours: genesisHash, theirs }
      } else
        log.warn(
          { event: 'chain-endpoint-incomparable', endpoint, err: error },
          'could not read another chain endpoint to compare it with the one in use',
        )
    }
  }
  return result
}

/** The endpoint in use failed, not the one it is compared with. */
class OwnFailure extends Error {}

async function own<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    throw new OwnFailure('the endpoint in use could not be read', { cause: error })
  }
}

async function compare(link: Link, other: Link, subnet: ComparedSubnet): Promise<EndpointComparison> {
  const { netuid, hotkey, last, readMetagraph, signal } = subnet
  const { endpoint } = other.rpc
  const differs = (what: Difference['what'], ours: unknown, theirs: unknown): Difference => {
    return { kind: 'differs', endpoint, what, ours, theirs }
  }
  const [our, their] = await Promise.all([own(readHeads(link, signal)), readHeads(other, signal)])
  if (Math.abs(our.best.number - their.best.number) > LAG_TOLERANCE_BLOCKS) {
    return differs('head', our.best.number, their.best.number)
  }
  const number = Math.min(our.final.number, their.final.number)
  const [hash, theirHash] = await Promise.all([
    own(readHash(link, number, signal)),
    readHash(other, number, signal),
  ])
  if (hash !== theirHash) return differs('finalized block', hash, theirHash)
  const block = { number, hash }
  const at = { blockHash: hash, ...(signal ? { signal } : {}) }
  const [registration, theirRegistration, ours, theirs] = await Promise.all([
    own(readUid(link, netuid, hotkey, at)),
    readUid(other, netuid, hotkey, at),
    own(readNeurons(link, netuid, at, readMetagraph(link, block))),
    readNeurons(other, netuid, at, readMetagraph(other, block)),
  ])
  if (registration !== theirRegistration) return differs('hotkey', registration, theirRegistration)
  if (ours.count !== theirs.count) return differs('neurons', ours.count, theirs.count)
  if (ours.permits !== theirs.permits) return differs('permits', ours.permits, theirs.permits)
  const latest = last && (await readMetagraph(other, await blockOf(last, other, their, signal)))
  const found =
    findSubnetDifference(ours.metagraph, theirs.metagraph) ??
    (last && latest && findSubnetDifference(last, latest))
  if (found) return differs(found.what, found.ours, found.theirs)
  const rulesAt = { ...at, blockHash: their.best.hash }
  return { kind: 'agrees', endpoint, rules: await readWeightRules(other.runtime, netuid, rulesAt) }
}

interface Heads {
  readonly best: BlockHead
  readonly final: BlockHead
}

async function readHeads(link: Link, signal: AbortSignal | undefined): Promise<Heads> {
  const [best, final] = await Promise.all([
    readHead(link, 'best', { signal }),
    readHead(link, 'finalized', { signal }),
  ])
  return { best, final }
}

async function readHash({ rpc }: Link, number: number, signal: AbortSignal | undefined): Promise<string> {
  return z.string().parse(await rpc.request('chain_getBlockHash', [number], { signal }))
}

/**
 * The other endpoint's block to compare the metagraph in use with: the one it was read at, or the newest that endpoint has. An
 * old metagraph is compared with the finalized block, because it must still be true, and old state may be gone.
 */
async function blockOf(
  last: Metagraph,
  other: Link,
  { best, final }: Heads,
  signal: AbortSignal | undefined,
): Promise<BlockHead> {
  if (last.block >= best.number) return best
  if (best.number - last.block > LAG_TOLERANCE_BLOCKS) return final
  return { number: last.block, hash: await readHash(other, last.block, signal) }
}

async function readUid({ runtime }: Link, netuid: number, hotkey: string, at: ReadAt) {
  return z
    .number()
    .optional()
    .parse(await runtime.read('Uids', [netuid, hotkey], at))
}

/** The neurons as storage has them, which signing relies on, and as the metagraph shows them. */
async function readNeurons({ runtime }: Link, netuid: number, at: ReadAt, reading: Promise<Metagraph>) {
  const [metagraph, count, permits] = await Promise.all([
    reading,
    runtime.read('SubnetworkN', [netuid], at),
    runtime.read('ValidatorPermit', [netuid], at),
  ])
  const permitted = z.array(z.boolean()).default([]).parse(permits)
  return {
    metagraph,
    count: z.number().optional().parse(count),
    permits: permitted.flatMap((isPermitted, index) => (isPermitted ? [index] : [])).join(' '),
  }
}
