import { type Clock, DeadlineError, type Log, messageOf, TargonError, withDeadline } from '../kernel/index.js'
import { createHeadStream, type HeadStream } from './head-stream.js'
import { type Link, openLink, readHead } from './link.js'
import { createHeadGuard } from './plausibility.js'
import { connectionLost } from './rpc.js'
import type { BlockHead } from './types.js'
import { JUMPED, type LinkWatch, type Published, RUNTIME_UPGRADE, watchLink } from './watch-link.js'

/** What the chain client needs of a log. */
export type ChainLog = Pick<Log, 'info' | 'warn' | 'error'>

export interface SessionOptions {
  readonly endpoints: readonly string[]
  readonly genesisHash?: string | undefined
  readonly rpcTimeoutMs: number
  readonly headTimeoutMs: number
  readonly firstConnectMs?: number | undefined
  readonly clock: Clock
  readonly log: ChainLog
  readonly signal: AbortSignal
}

/**
 * A reading connection that is kept alive: when it closes, falls silent or its runtime changes, the next endpoint
 * takes over, for as long as the session lives.
 */
export interface Session {
  readonly heads: HeadStream
  /** The link in use, or the last one. */
  readonly link: Link
  /** Times the connection was rebuilt. */
  readonly reconnects: number
  /** Runs a read on the current link; once more on the next one when the link dies or does not answer. */
  use<T>(work: (link: Link) => Promise<T>, signal?: AbortSignal): Promise<T>
  /** Gives up a link that proved untrue, if it is still the one in use. */
  leave(link: Link, reason: string): void
  close(): Promise<void>
}

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5000

/** @throws TargonError CHAIN_UNREACHABLE (fault unreachable) when no endpoint can be used; CHAIN_WRONG_NETWORK (chain). */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { clock, log, endpoints } = options
  const life = new AbortController()
  const signal = AbortSignal.any([options.signal, life.signal])
  const heads = createHeadStream()
  const guard = createHeadGuard(endpoints.length, () => clock.now())
  let index = 0
  let reconnects = 0
  let link = await openFirst()
  /** Pending while there is no usable link; never rejects. */
  let arrival: Promise<Link> | undefined
  let arrive: (link: Link) => void = () => {}
  let lost = watch(link)
  const running = keep()

  /** All endpoints in turn, in rounds, as long as there is time; at least once. */
  async function openFirst(): Promise<Link> {
    const until = clock.monotonic() + (options.firstConnectMs ?? 0)
    for (let round = 0; ; round++) {
      const failures: unknown[] = []
      for (index = 0; index < endpoints.length; index++) {
        const opened = await open(endpoints[index] ?? '').catch((error: unknown) => {
          if (signal.aborted) throw error
          failures.push(error)
          return undefined
        })
        if (opened) return opened
      }
      const error = unreachable(endpoints, failures)
      const pause = pauseAfter(round)
      // Another network stays another network; what is merely away may come back.
      if (error.fault !== 'unreachable' || clock.monotonic() + pause >= until) throw error
      log.warn(
        { event: 'chain-unreachable', reasons: error.facts.reasons },
        'no chain endpoint is reachable yet',
      )
      await clock.sleep(pause, signal)
    }
  }

  async function open(endpoint: string): Promise<Link> {
    const opened = await openLink(endpoint, { ...options, signal })
    try {
      if (publish(opened, await readHead(opened)) === 'refused') throw connectionLost(endpoint, JUMPED)
      return opened
    } catch (error) {
      opened.rpc.close()
      throw error
    }
  }

  function publish({ rpc, runtime }: Link, head: BlockHead): Published {
    if (!guard.admits(head, rpc.endpoint, runtime.blockTimeMs)) {
      log.error(
        { event: 'chain-head-rejected', endpoint: rpc.endpoint, ...head },
        'rejected chain head: block number too far ahead',
      )
      return 'refused'
    }
    return heads.publish(head) ? 'news' : 'known'
  }

  function watch(watched: Link): LinkWatch {
    return watchLink(watched, {
      clock,
      signal,
      headTimeoutMs: options.headTimeoutMs,
      publish: (head) => publish(watched, head),
      onEnd: () => {
        arrival = new Promise((settle) => {
          arrive = settle
        })
      },
    })
  }

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      const reason = await lost.done
      if (signal.aborted) return
      log.warn(
        { event: 'chain-disconnected', endpoint: link.rpc.endpoint, reason },
        'lost the connection to the chain',
      )
      // Another endpoint, unless the chain itself changed.
      if (!reason.startsWith(RUNTIME_UPGRADE)) index++
      try {
        link = await reopen()
      } catch {
        return
      }
      reconnects++
      lost = watch(link)
      arrival = undefined
      arrive(link)
      log.info(
        { event: 'chain-connected', endpoint: link.rpc.endpoint, specVersion: link.runtime.specVersion },
        'connected to the chain',
      )
    }
  }

  async function reopen(): Promise<Link> {
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      const endpoint = endpoints[index % endpoints.length] ?? ''
      try {
        return await open(endpoint)
      } catch (error) {
        if (signal.aborted) throw error
        log.warn(
          { event: 'chain-endpoint-failed', endpoint, err: error },
          'could not connect to a chain endpoint',
        )
        index++
        // A whole round over the endpoints goes without pausing; then the pauses grow.
        if ((attempt + 1) % endpoints.length === 0) {
          await clock.sleep(pauseAfter(Math.floor(attempt / endpoints.length)), signal)
        }
      }
    }
  }

  /** The link in use, or the next one once it has arrived. */
  async function usable(callerSignal: AbortSignal | undefined): Promise<Link> {
    const pending = arrival
    if (pending === undefined) return link
    const either = AbortSignal.any(callerSignal ? [signal, callerSignal] : [signal])
    try {
      return await withDeadline(clock, 'The next connection', options.rpcTimeoutMs, either, () => pending)
    } catch (error) {
      throw error instanceof DeadlineError ? noConnection() : error
    }
  }

  return {
    heads,
    get link() {
      return link
    },
    get reconnects() {
      return reconnects
    },
    async use(work, callerSignal) {
      const first = await usable(callerSignal)
      try {
        return await work(first)
      } catch (error) {
        if (callerSignal?.aborted || signal.aborted || !isLinkFailure(error)) throw error
        if (first === link) lost.end(messageOf(error))
        return work(await usable(callerSignal))
      }
    },
    leave(left, reason) {
      if (left === link) lost.end(reason)
    },
    async close() {
      life.abort()
      lost.end('closed')
      heads.close()
      await running
    },
  }
}

/** Growing, and not the same for everyone who lost the same endpoint. */
function pauseAfter(round: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(round, 10))
  return pause * (0.5 + Math.random() / 2)
}

/** Failures of a connection, as opposed to answers of the chain. */
function isLinkFailure(error: unknown): boolean {
  return (
    error instanceof DeadlineError || (error instanceof TargonError && error.code === 'CHAIN_CONNECTION_LOST')
  )
}

/** Waiting does not help against these. */
const FINAL_CODES = ['CHAIN_WRONG_NETWORK', 'CHAIN_METADATA']

function unreachable(endpoints: readonly string[], failures: readonly unknown[]): TargonError {
  const final = failures.filter(
    (error): error is TargonError => error instanceof TargonError && FINAL_CODES.includes(error.code),
  )
  if (final[0] && final.length === failures.length) return final[0]
  const reasons = failures.map(messageOf)
  return new TargonError(`No chain endpoint can be used: ${reasons.join(' ')}`, {
    code: 'CHAIN_UNREACHABLE',
    fault: 'unreachable',
    next: 'Check --subtensor.chain_endpoint and the network.',
    facts: { endpoints, reasons },
  })
}

function noConnection(): TargonError {
  return new TargonError('The chain connection is down and no endpoint has answered yet.', {
    code: 'CHAIN_UNREACHABLE',
    fault: 'unreachable',
    next: 'Check --subtensor.chain_endpoint and the network.',
  })
}
