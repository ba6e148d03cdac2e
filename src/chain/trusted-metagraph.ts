import { type Clock, TargonError } from '../kernel/index.js'
import { type Link, openLink } from './link.js'
import { findImplausibility, type Implausibility } from './plausibility.js'
import type { ChainLog, Session } from './session.js'
import type { Metagraph } from './types.js'

export interface TrustedMetagraphOptions {
  readonly session: Pick<Session, 'link' | 'use' | 'leave'>
  readonly endpoints: readonly string[]
  readonly rpcTimeoutMs: number
  readonly clock: Clock
  readonly log: ChainLog
  read(link: Link, netuid: number, signal: AbortSignal | undefined): Promise<Metagraph>
}

/** Metagraphs of which each can follow from the one before. */
export interface TrustedMetagraph {
  /** The newest good one; undefined before the first. */
  last(netuid: number): Metagraph | undefined
  /**
   * @throws TargonError CHAIN_IMPLAUSIBLE (fault chain) when the endpoint shows what the chain cannot have become and no
   *   other endpoint tells which of the two is true; whatever reading throws.
   */
  read(netuid: number, signal?: AbortSignal): Promise<Metagraph>
}

/** A change nobody contradicts for so long is real: a subnet's owner can trim it, its stake can leave. */
const BELIEVED_AFTER_MS = 3_600_000

/**
 * Keeps an endpoint from steering a node by a made-up subnet. The first picture is believed. A later one that cannot
 * follow from it is refused with an alarm, and the other endpoints are asked: one that contradicts takes over, one
 * that shows the same confirms. Without any the last good picture stays in force for an hour.
 */
export function createTrustedMetagraph(options: TrustedMetagraphOptions): TrustedMetagraph {
  const { session, clock, log } = options
  const good = new Map<number, Metagraph>()
  const doubtedSince = new Map<number, number>()

  function accept(metagraph: Metagraph): Metagraph {
    good.set(metagraph.netuid, metagraph)
    doubtedSince.delete(metagraph.netuid)
    return metagraph
  }

  async function judge(
    link: Link,
    seen: Metagraph,
    last: Metagraph,
    doubt: Implausibility,
    signal?: AbortSignal,
  ) {
    const { endpoint } = link.rpc
    log.error(
      { event: 'metagraph-rejected', endpoint, block: seen.block, ...doubt },
      'rejected metagraph: it cannot follow from the previous one',
    )
    for (const other of options.endpoints) {
      if (other === endpoint) continue
      const shown = await readFrom(other, seen.netuid, signal)
      if (!shown) continue
      if (!findImplausibility(last, shown)) {
        session.leave(link, `another endpoint contradicts its ${doubt.what}`)
        return accept(shown)
      }
      if (!findImplausibility(seen, shown)) {
        log.warn(
          { event: 'metagraph-confirmed', endpoint, confirmedBy: other, ...doubt },
          'accepted metagraph: a second endpoint shows the same',
        )
        return accept(seen)
      }
    }
    const since = doubtedSince.get(seen.netuid) ?? clock.monotonic()
    doubtedSince.set(seen.netuid, since)
    if (clock.monotonic() - since < BELIEVED_AFTER_MS) throw implausible(endpoint, seen, doubt)
    log.error(
      { event: 'metagraph-unchallenged', endpoint, ...doubt },
      'accepted metagraph: unchallenged for 1 h',
    )
    return accept(seen)
  }

  async function readFrom(endpoint: string, netuid: number, signal: AbortSignal | undefined) {
    const { rpcTimeoutMs } = options
    const { genesisHash } = session.link.runtime
    let link: Link | undefined
    try {
      link = await openLink(endpoint, { clock, rpcTimeoutMs, genesisHash, signal })
      return await options.read(link, netuid, signal)
    } catch (error) {
      signal?.throwIfAborted()
      log.warn(
        { event: 'chain-endpoint-incomparable', endpoint, err: error },
        'could not compare this chain endpoint with the others',
      )
      return undefined
    } finally {
      link?.rpc.close()
    }
  }

  return {
    last: (netuid) => good.get(netuid),
    async read(netuid, signal) {
      const { link, seen } = await session.use(
        async (used) => ({ link: used, seen: await options.read(used, netuid, signal) }),
        signal,
      )
      const last = good.get(netuid)
      if (!last) return accept(seen)
      const doubt = findImplausibility(last, seen)
      if (doubt) return judge(link, seen, last, doubt, signal)
      // An endpoint a few blocks behind tells nothing new.
      return seen.block < last.block ? last : accept(seen)
    },
  }
}

function implausible(
  endpoint: string,
  { netuid, block }: Metagraph,
  { what, before, now }: Implausibility,
): TargonError {
  return new TargonError(
    `${endpoint} shows a subnet ${netuid} that cannot be: its ${what} went from ${before} to ${now}. The last one stays in use.`,
    {
      code: 'CHAIN_IMPLAUSIBLE',
      fault: 'chain',
      next: 'Give another endpoint besides it by --subtensor.chain_endpoint. If the change is real it is believed after an hour, or restart.',
      facts: { endpoint, block, what, before, now },
    },
  )
}
