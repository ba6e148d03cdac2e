import {
  createDeferred,
  DeadlineError,
  type Deferred,
  messageOf,
  TargonError,
  withDeadline,
} from '../kernel/index.js'
import { Connector } from './connector.js'
import type { ChainContext } from './context.js'
import { createHeadStream, type HeadStream } from './head-stream.js'
import type { Link } from './link.js'
import { createHeadGuard } from './plausibility.js'
import type { BlockHead } from './types.js'
import { type LinkWatch, type Published, RUNTIME_UPGRADE, watchLink } from './watch-link.js'

/** @throws TargonError CHAIN_UNREACHABLE (fault unreachable) when no endpoint is usable; CHAIN_WRONG_NETWORK (chain). */
export async function openSession(clientContext: ChainContext): Promise<Session> {
  const closing = new AbortController()
  const context = { ...clientContext, signal: AbortSignal.any([clientContext.signal, closing.signal]) }
  const { clock, log } = context
  const heads = createHeadStream()
  const guard = createHeadGuard(context.endpoints.length, () => clock.now())
  const publish = ({ rpc, runtime }: Link, head: BlockHead): Published => {
    if (guard.admits(head, rpc.endpoint, runtime.blockTimeMs)) return heads.publish(head) ? 'new' : 'known'
    log.error(
      { event: 'chain-head-rejected', endpoint: rpc.endpoint, ...head },
      'rejected chain head: block number too far ahead',
    )
    return 'rejected'
  }
  const connector = new Connector(context, publish)
  return new Session({ context, closing, heads, publish, connector }, await connector.first())
}

interface SessionParts {
  /** Its signal ends with the session. */
  readonly context: ChainContext
  readonly closing: AbortController
  readonly heads: HeadStream
  readonly publish: (link: Link, head: BlockHead) => Published
  readonly connector: Connector
}

/** The connection for reads. It is replaced when it closes, falls silent or its runtime changes. */
export class Session {
  readonly heads: HeadStream
  readonly #parts: SessionParts
  readonly #running: Promise<void>
  #link: Link
  #watch: LinkWatch
  #reconnects = 0
  /** Pending while there is no usable link; never rejects. */
  #nextLink: Deferred<Link> | undefined

  constructor(parts: SessionParts, link: Link) {
    this.heads = parts.heads
    this.#parts = parts
    this.#link = link
    this.#watch = this.#watchHeads(link)
    this.#running = this.#reconnect()
  }

  /** The current link, or the last one while there is none. */
  get link(): Link {
    return this.#link
  }

  /** How often the connection was replaced. */
  get reconnects(): number {
    return this.#reconnects
  }

  /** Runs a read on the current link, and once more on the next one if the link fails or times out. */
  async use<T>(work: (link: Link) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const first = await this.#usableLink(signal)
    try {
      return await work(first)
    } catch (error) {
      if (signal?.aborted || this.#parts.context.signal.aborted || !isLinkFailure(error)) throw error
      this.abandon(first, messageOf(error))
      return work(await this.#usableLink(signal))
    }
  }

  /** Abandons a link that gave false data, if it is still the current one. */
  abandon(link: Link, reason: string): void {
    if (link === this.#link) this.#watch.end(reason)
  }

  async close(): Promise<void> {
    this.#parts.closing.abort()
    this.#watch.end('closed')
    this.heads.close()
    await this.#running
  }

  #watchHeads(link: Link): LinkWatch {
    const { clock, signal, headTimeoutMs } = this.#parts.context
    return watchLink(link, {
      clock,
      signal,
      headTimeoutMs,
      publish: (head) => this.#parts.publish(link, head),
      onEnd: () => {
        this.#nextLink = createDeferred<Link>()
      },
    })
  }

  async #reconnect(): Promise<void> {
    const { connector, context } = this.#parts
    const { log, signal } = context
    while (!signal.aborted) {
      const reason = await this.#watch.done
      if (signal.aborted) return
      log.warn(
        { event: 'chain-disconnected', endpoint: this.#link.rpc.endpoint, reason },
        'lost the connection to the chain',
      )
      try {
        this.#link = await connector.next(reason.startsWith(RUNTIME_UPGRADE))
      } catch {
        return
      }
      this.#reconnects++
      this.#watch = this.#watchHeads(this.#link)
      const waiting = this.#nextLink
      this.#nextLink = undefined
      waiting?.resolve(this.#link)
      const { rpc, runtime } = this.#link
      log.info(
        { event: 'chain-connected', endpoint: rpc.endpoint, specVersion: runtime.specVersion },
        'connected to the chain',
      )
    }
  }

  /** The current link, or the next one once it is open. */
  async #usableLink(callSignal: AbortSignal | undefined): Promise<Link> {
    const pending = this.#nextLink?.promise
    if (pending === undefined) return this.#link
    const { clock, rpcTimeoutMs, signal } = this.#parts.context
    const either = AbortSignal.any(callSignal ? [signal, callSignal] : [signal])
    try {
      return await withDeadline(clock, 'Reconnecting to the chain', rpcTimeoutMs, either, () => pending)
    } catch (error) {
      throw error instanceof DeadlineError ? noConnection() : error
    }
  }
}

/** Failures of the connection, as opposed to errors the chain returned. */
function isLinkFailure(error: unknown): boolean {
  return (
    error instanceof DeadlineError || (error instanceof TargonError && error.code === 'CHAIN_CONNECTION_LOST')
  )
}

function noConnection(): TargonError {
  return new TargonError('The chain connection is down and no endpoint has responded yet.', {
    code: 'CHAIN_UNREACHABLE',
    fault: 'unreachable',
    next: 'Check --subtensor.chain_endpoint and the network connection.',
  })
}
