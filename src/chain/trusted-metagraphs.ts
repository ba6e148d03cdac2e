import { TargonError } from '../kernel/index.js'
import type { ChainContext } from './context.js'
import { readSubnetLimits } from './hyperparameters.js'
import { type Link, withLink } from './link.js'
import { findImplausibility, type Implausibility } from './plausibility.js'
import type { Session } from './session.js'
import type { Metagraph } from './types.js'

type ReadMetagraph = (link: Link, netuid: number, signal: AbortSignal | undefined) => Promise<Metagraph>

/** How long a change that nothing explains must stay unchallenged to be accepted: stake can leave. */
const ACCEPTED_AFTER_MS = 3_600_000

/**
 * Keeps an endpoint from steering the node with a forged subnet. The first metagraph is accepted. A later one that cannot
 * follow from it is checked against the other endpoints: one that contradicts it takes over, one that shows the same
 * confirms it. Without either, it is accepted when the subnet's own limits explain it (its owner trimmed it, or switched to
 * Null consensus); otherwise the last accepted metagraph stays in use for an hour.
 */
export class TrustedMetagraphs {
  readonly #context: Pick<ChainContext, 'clock' | 'log' | 'endpoints' | 'rpcTimeoutMs'>
  readonly #session: Pick<Session, 'link' | 'use' | 'abandon'>
  readonly #readMetagraph: ReadMetagraph
  readonly #accepted = new Map<number, Metagraph>()
  /** Monotonic time since which a subnet is implausible, by netuid. */
  readonly #implausibleSince = new Map<number, number>()

  constructor(
    context: Pick<ChainContext, 'clock' | 'log' | 'endpoints' | 'rpcTimeoutMs'>,
    session: Pick<Session, 'link' | 'use' | 'abandon'>,
    readMetagraph: ReadMetagraph,
  ) {
    this.#context = context
    this.#session = session
    this.#readMetagraph = readMetagraph
  }

  /** The newest accepted metagraph. */
  last(netuid: number): Metagraph | undefined {
    return this.#accepted.get(netuid)
  }

  /**
   * @throws TargonError CHAIN_IMPLAUSIBLE (fault chain) when the metagraph cannot follow from the last one and no other
   *   endpoint settles which of the two is true; whatever reading throws.
   */
  async read(netuid: number, signal?: AbortSignal): Promise<Metagraph> {
    const { link, seen } = await this.#session.use(
      async (used) => ({ link: used, seen: await this.#readMetagraph(used, netuid, signal) }),
      signal,
    )
    const last = this.#accepted.get(netuid)
    if (!last) return this.#accept(seen)
    const reason = findImplausibility(last, seen)
    if (!reason) {
      // An endpoint that lags a few blocks has nothing new.
      return seen.block < last.block ? last : this.#accept(seen)
    }
    const { endpoint } = link.rpc
    const isExplained = await this.#isExplained(link, seen, last, signal)
    if (!isExplained)
      this.#context.log.error(
        { event: 'metagraph-rejected', endpoint, block: seen.block, ...reason },
        'rejected metagraph: it cannot follow from the previous one',
      )
    const settled = await this.#checkOtherEndpoints(link, seen, last, reason, signal)
    if (settled) return settled
    if (!isExplained) return this.#acceptUnchallenged(endpoint, seen, reason)
    this.#context.log.warn(
      { event: 'metagraph-explained', endpoint, block: seen.block, ...reason },
      'accepted metagraph: the settings of the subnet explain the change',
    )
    return this.#accept(seen)
  }

  /** Whether the subnet's own limits, at the block of the metagraph, explain what disappeared. */
  async #isExplained(
    { runtime }: Link,
    seen: Metagraph,
    last: Metagraph,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const at = { blockHash: seen.blockHash, ...(signal ? { signal } : {}) }
    try {
      return !findImplausibility(last, seen, await readSubnetLimits(runtime, seen.netuid, at))
    } catch {
      signal?.throwIfAborted()
      return false
    }
  }

  #accept(metagraph: Metagraph): Metagraph {
    this.#accepted.set(metagraph.netuid, metagraph)
    this.#implausibleSince.delete(metagraph.netuid)
    return metagraph
  }

  async #checkOtherEndpoints(
    link: Link,
    seen: Metagraph,
    last: Metagraph,
    reason: Implausibility,
    signal: AbortSignal | undefined,
  ): Promise<Metagraph | undefined> {
    const { endpoint } = link.rpc
    for (const other of this.#context.endpoints) {
      if (other === endpoint) continue
      const shown = await this.#readFrom(other, seen.netuid, signal)
      if (!shown) continue
      if (!findImplausibility(last, shown)) {
        this.#session.abandon(link, `another endpoint contradicts its ${reason.what}`)
        return this.#accept(shown)
      }
      if (!findImplausibility(seen, shown)) {
        this.#context.log.warn(
          { event: 'metagraph-confirmed', endpoint, confirmedBy: other, ...reason },
          'accepted metagraph: a second endpoint shows the same',
        )
        return this.#accept(seen)
      }
    }
    return undefined
  }

  async #readFrom(endpoint: string, netuid: number, signal: AbortSignal | undefined) {
    const { clock, log, rpcTimeoutMs } = this.#context
    const { genesisHash } = this.#session.link.runtime
    try {
      return await withLink(endpoint, { clock, rpcTimeoutMs, genesisHash, signal }, (link) =>
        this.#readMetagraph(link, netuid, signal),
      )
    } catch (error) {
      signal?.throwIfAborted()
      log.warn(
        { event: 'chain-endpoint-incomparable', endpoint, err: error },
        'could not read another chain endpoint to compare it with the one in use',
      )
      return undefined
    }
  }

  #acceptUnchallenged(endpoint: string, seen: Metagraph, reason: Implausibility): Metagraph {
    const { clock, log } = this.#context
    const since = this.#implausibleSince.get(seen.netuid) ?? clock.monotonic()
    this.#implausibleSince.set(seen.netuid, since)
    if (clock.monotonic() - since < ACCEPTED_AFTER_MS) throw implausible(endpoint, seen, reason)
    log.error(
      { event: 'metagraph-unchallenged', endpoint, ...reason },
      'accepted metagraph: unchallenged for 1 h',
    )
    return this.#accept(seen)
  }
}

function implausible(
  endpoint: string,
  { netuid, block }: Metagraph,
  { what, before, now }: Implausibility,
): TargonError {
  return new TargonError(
    `${endpoint} shows an impossible change of subnet ${netuid}: ${what} went from ${before} to ${now}. The last accepted metagraph stays in use.`,
    {
      code: 'CHAIN_IMPLAUSIBLE',
      fault: 'chain',
      next: 'Add a second endpoint with --subtensor.chain_endpoint. If the change is real, wait until it is accepted after 1 h, or restart.',
      facts: { endpoint, block, what, before, now },
    },
  )
}
