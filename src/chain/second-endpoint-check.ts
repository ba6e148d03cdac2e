import { z } from 'zod'
import { TargonError } from '../kernel/index.js'
import type { ChainContext } from './context.js'
import { type Link, readHead, withLink } from './link.js'
import { LAG_TOLERANCE_BLOCKS } from './plausibility.js'
import type { Session } from './session.js'

/** How another endpoint compares with the one in use, for one subnet and one hotkey. */
export type EndpointComparison =
  | { readonly kind: 'agrees'; readonly endpoint: string }
  /** No other endpoint is configured or responds. */
  | { readonly kind: 'alone' }
  | {
      readonly kind: 'differs'
      readonly endpoint: string
      readonly what: 'network' | 'head' | 'finalized block' | 'hotkey' | 'neurons' | 'permits'
      readonly ours: unknown
      readonly theirs: unknown
    }

type Difference = Extract<EndpointComparison, { kind: 'differs' }>

/** What is compared, and the signal of the call. */
interface Subject {
  readonly netuid: number
  readonly hotkey: string
  readonly signal?: AbortSignal | undefined
}

/** A slow second endpoint must not cost an epoch. */
const CHECK_TIMEOUT_MS = 10_000

/**
 * Compares the endpoint in use with the other configured ones at a block both have finalized: height, block hash, our
 * registration, number of neurons, permits. One that agrees is enough; one that does not respond is skipped.
 */
export async function checkSecondEndpoint(
  context: ChainContext,
  session: Session,
  subject: Subject,
): Promise<EndpointComparison> {
  const { clock, log, endpoints } = context
  const { signal } = subject
  const rpcTimeoutMs = Math.min(context.rpcTimeoutMs, CHECK_TIMEOUT_MS)
  let result: EndpointComparison = { kind: 'alone' }
  for (const endpoint of endpoints) {
    if (endpoint === session.link.rpc.endpoint) continue
    const { genesisHash } = session.link.runtime
    try {
      // Not through the session: a second endpoint that hangs must not cost the link in use.
      const compared = await withLink(endpoint, { clock, rpcTimeoutMs, genesisHash, signal }, (other) =>
        compare(session.link, other, subject),
      )
      if (compared.kind === 'agrees') return compared
      result = compared
    } catch (error) {
      signal?.throwIfAborted()
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

async function compare(link: Link, other: Link, subject: Subject): Promise<EndpointComparison> {
  const { signal } = subject
  const { endpoint } = other.rpc
  const [best, theirBest, final, theirFinal] = await Promise.all([
    readHead(link, 'best', { signal }),
    readHead(other, 'best', { signal }),
    readHead(link, 'finalized', { signal }),
    readHead(other, 'finalized', { signal }),
  ])
  const differs = (what: Difference['what'], ours: unknown, theirs: unknown): Difference => {
    return { kind: 'differs', endpoint, what, ours, theirs }
  }
  if (Math.abs(best.number - theirBest.number) > LAG_TOLERANCE_BLOCKS) {
    return differs('head', best.number, theirBest.number)
  }
  const number = Math.min(final.number, theirFinal.number)
  const [blockHash, theirHash] = await Promise.all([
    readHash(link, number, signal),
    readHash(other, number, signal),
  ])
  if (blockHash !== theirHash) return differs('finalized block', blockHash, theirHash)
  const [ours, theirs] = await Promise.all([
    readSubnet(link, blockHash, subject),
    readSubnet(other, blockHash, subject),
  ])
  if (ours.uid !== theirs.uid) return differs('hotkey', ours.uid, theirs.uid)
  if (ours.count !== theirs.count) return differs('neurons', ours.count, theirs.count)
  if (ours.permits !== theirs.permits) return differs('permits', ours.permits, theirs.permits)
  return { kind: 'agrees', endpoint }
}

async function readHash({ rpc }: Link, number: number, signal: AbortSignal | undefined): Promise<string> {
  return z.string().parse(await rpc.request('chain_getBlockHash', [number], { signal }))
}

async function readSubnet({ runtime }: Link, blockHash: string, { netuid, hotkey, signal }: Subject) {
  const at = { blockHash, ...(signal ? { signal } : {}) }
  const [uid, count, permits] = await Promise.all([
    runtime.read('Uids', [netuid, hotkey], at),
    runtime.read('SubnetworkN', [netuid], at),
    runtime.read('ValidatorPermit', [netuid], at),
  ])
  const permitted = z.array(z.boolean()).default([]).parse(permits)
  return {
    uid: z.number().optional().parse(uid),
    count: z.number().optional().parse(count),
    permits: permitted.flatMap((isPermitted, index) => (isPermitted ? [index] : [])).join(' '),
  }
}
