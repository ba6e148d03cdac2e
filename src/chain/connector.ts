import { messageOf, TargonError } from '../kernel/index.js'
import type { ChainContext } from './context.js'
import { type Link, openLink, readHead } from './link.js'
import { connectionLost } from './rpc.js'
import type { BlockHead } from './types.js'
import { HEAD_TOO_FAR, type Published } from './watch-link.js'

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5000

/** Opens links on the configured endpoints in turn. */
export class Connector {
  #context: ChainContext
  readonly #publish: (link: Link, head: BlockHead) => Published
  #index = 0

  /** @param publish is given the best head of a new link, which is dropped when the head is rejected. */
  constructor(context: ChainContext, publish: (link: Link, head: BlockHead) => Published) {
    this.#context = context
    this.#publish = publish
  }

  /**
   * The first link: tries all endpoints at least once, and again until `firstConnectMs` has passed.
   *
   * @throws TargonError CHAIN_UNREACHABLE (fault unreachable), CHAIN_WRONG_NETWORK or CHAIN_METADATA (fault chain).
   */
  async first(): Promise<Link> {
    const { clock, log, signal, endpoints, firstConnectMs } = this.#context
    const until = clock.monotonic() + firstConnectMs
    for (let round = 0; ; round++) {
      const failures: unknown[] = []
      for (this.#index = 0; this.#index < endpoints.length; this.#index++) {
        const link = await this.#open(endpoints[this.#index] ?? '').catch((error: unknown) => {
          if (signal.aborted) throw error
          failures.push(error)
          return undefined
        })
        if (link) {
          // From now on every endpoint must be of this network, also where the operator named none.
          this.#context = { ...this.#context, genesisHash: link.runtime.genesisHash }
          return link
        }
      }
      const error = unreachable(endpoints, failures)
      const pauseMs = pauseAfter(round)
      // An unreachable endpoint may come back; a wrong network will not change.
      if (error.fault !== 'unreachable' || clock.monotonic() + pauseMs >= until) throw error
      log.warn(
        { event: 'chain-unreachable', reasons: error.facts.reasons },
        'no chain endpoint is reachable yet; retrying',
      )
      await clock.sleep(pauseMs, signal)
    }
  }

  /**
   * The next link after one was lost, retrying until the session ends.
   *
   * @param onSameEndpoint starts with the endpoint of the lost link.
   */
  async next(onSameEndpoint: boolean): Promise<Link> {
    const { clock, log, signal, endpoints } = this.#context
    if (!onSameEndpoint) this.#index++
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      const endpoint = endpoints[this.#index % endpoints.length] ?? ''
      try {
        return await this.#open(endpoint)
      } catch (error) {
        if (signal.aborted) throw error
        log.warn(
          { event: 'chain-endpoint-failed', endpoint, err: error },
          'could not connect to a chain endpoint',
        )
        this.#index++
        // Every endpoint is tried once without a pause; after that the pauses grow.
        if ((attempt + 1) % endpoints.length === 0) {
          await clock.sleep(pauseAfter(Math.floor(attempt / endpoints.length)), signal)
        }
      }
    }
  }

  async #open(endpoint: string): Promise<Link> {
    const link = await openLink(endpoint, this.#context)
    try {
      if (this.#publish(link, await readHead(link)) === 'rejected') {
        throw connectionLost(endpoint, HEAD_TOO_FAR)
      }
      return link
    } catch (error) {
      link.rpc.close()
      throw error
    }
  }
}

/** Growing, with jitter so that clients that lost the same endpoint do not all return at once. */
function pauseAfter(round: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(round, 10))
  return pause * (0.5 + Math.random() / 2)
}

/** Errors that waiting does not fix. */
const FINAL_CODES = ['CHAIN_WRONG_NETWORK', 'CHAIN_METADATA']

function unreachable(endpoints: readonly string[], failures: readonly unknown[]): TargonError {
  const final = failures.filter(
    (error): error is TargonError => error instanceof TargonError && FINAL_CODES.includes(error.code),
  )
  if (final[0] && final.length === failures.length) return final[0]
  const reasons = failures.map(messageOf)
  return new TargonError(`No chain endpoint is usable: ${reasons.join(' ')}`, {
    code: 'CHAIN_UNREACHABLE',
    fault: 'unreachable',
    next: 'Check --subtensor.chain_endpoint and the network connection.',
    facts: { endpoints, reasons },
  })
}
