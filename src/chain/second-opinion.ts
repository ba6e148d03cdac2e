import { z } from 'zod'
import { type Clock, TargonError } from '../kernel/index.js'
import { type Link, openLink, readHead } from './link.js'
import { LAG_TOLERANCE_BLOCKS } from './plausibility.js'
import type { ChainLog, Session } from './session.js'

/** What the endpoints say about one subnet and one hotkey. */
export type SecondOpinion =
  | { readonly kind: 'agrees'; readonly endpoint: string }
  /** No other endpoint is configured, or none answers: the one in use is all there is. */
  | { readonly kind: 'alone' }
  | {
      readonly kind: 'differs'
      readonly endpoint: string
      readonly what: 'network' | 'head' | 'finalized block' | 'hotkey' | 'neurons' | 'permits'
      readonly ours: unknown
      readonly theirs: unknown
    }

export interface SecondOpinionOptions {
  readonly session: Session
  readonly endpoints: readonly string[]
  readonly rpcTimeoutMs: number
  readonly clock: Clock
  readonly log: ChainLog
}

/** A witness that is slow is no reason to miss an epoch. */
const WITNESS_TIMEOUT_MS = 10_000

/**
 * Compares what the endpoint in use shows with the other configured ones, at a block both hold as final: height,
 * block, our place, number of neurons, permits. One that agrees is enough; one that does not answer says nothing.
 */
export async function askSecondOpinion(
  options: SecondOpinionOptions,
  netuid: number,
  hotkey: string,
  signal?: AbortSignal,
): Promise<SecondOpinion> {
  const { session, clock, log } = options
  const rpcTimeoutMs = Math.min(options.rpcTimeoutMs, WITNESS_TIMEOUT_MS)
  let difference: SecondOpinion = { kind: 'alone' }
  for (const endpoint of options.endpoints) {
    if (endpoint === session.link.rpc.endpoint) continue
    let witness: Link | undefined
    try {
      const { genesisHash } = session.link.runtime
      const opened = await openLink(endpoint, { clock, rpcTimeoutMs, genesisHash, signal })
      witness = opened
      // Not through the session: a witness that falls silent must not cost the link in use.
      const opinion = await compare(session.link, opened, netuid, hotkey, signal)
      if (opinion.kind === 'agrees') return opinion
      difference = opinion
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof TargonError && error.code === 'CHAIN_WRONG_NETWORK') {
        const { genesisHash } = session.link.runtime
        difference = {
          kind: 'differs',
          endpoint,
          what: 'network',
          ours: genesisHash,
          theirs: error.facts.genesisHash,
        }
      } else
        log.warn(
          { event: 'chain-endpoint-incomparable', endpoint, err: error },
          'could not compare this chain endpoint with the others',
        )
    } finally {
      witness?.rpc.close()
    }
  }
  return difference
}

async function compare(
  link: Link,
  witness: Link,
  netuid: number,
  hotkey: string,
  signal: AbortSignal | undefined,
): Promise<SecondOpinion> {
  const { endpoint } = witness.rpc
  const [best, theirBest, final, theirFinal] = await Promise.all([
    readHead(link, 'best', { signal }),
    readHead(witness, 'best', { signal }),
    readHead(link, 'finalized', { signal }),
    readHead(witness, 'finalized', { signal }),
  ])
  const differs = (
    what: Extract<SecondOpinion, { kind: 'differs' }>['what'],
    ours: unknown,
    theirs: unknown,
  ): SecondOpinion => ({ kind: 'differs', endpoint, what, ours, theirs })
  if (Math.abs(best.number - theirBest.number) > LAG_TOLERANCE_BLOCKS) {
    return differs('head', best.number, theirBest.number)
  }
  const number = Math.min(final.number, theirFinal.number)
  const [blockHash, theirHash] = await Promise.all([
    readHash(link, number, signal),
    readHash(witness, number, signal),
  ])
  if (blockHash !== theirHash) return differs('finalized block', blockHash, theirHash)
  const [ours, theirs] = await Promise.all([
    describe(link, blockHash, netuid, hotkey, signal),
    describe(witness, blockHash, netuid, hotkey, signal),
  ])
  if (ours.uid !== theirs.uid) return differs('hotkey', ours.uid, theirs.uid)
  if (ours.count !== theirs.count) return differs('neurons', ours.count, theirs.count)
  if (ours.permits !== theirs.permits) return differs('permits', ours.permits, theirs.permits)
  return { kind: 'agrees', endpoint }
}

async function readHash({ rpc }: Link, number: number, signal: AbortSignal | undefined): Promise<string> {
  return z.string().parse(await rpc.request('chain_getBlockHash', [number], { signal }))
}

async function describe(
  { runtime }: Link,
  blockHash: string,
  netuid: number,
  hotkey: string,
  signal: AbortSignal | undefined,
) {
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
