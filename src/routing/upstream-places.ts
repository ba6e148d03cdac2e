import type { Clock } from '../kernel/index.js'
import type { RelayEnd } from './relay.js'
import type { RequestQueue, WaitEnd } from './request-queue.js'
import type { Upstream } from './upstream.js'
import type { UpstreamSet } from './upstream-set.js'

/** What waits for a place, usually the caller's response: the wait ends when it closes. */
export interface Waiter {
  readonly destroyed: boolean
  once(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

/** How one attempt ended, as far as it says something about the server. */
export type AttemptEnd =
  | { readonly kind: 'done'; readonly status: number }
  | {
      readonly kind: 'retry'
      readonly cause: Extract<RelayEnd, { kind: 'retry' }>['cause']
      readonly status?: number | undefined
    }
  | { readonly kind: 'broken' | 'caller-left' }

/** A place at a model server for one attempt. */
export interface UpstreamPlace {
  readonly upstream: Upstream
  /** Gives it back; further calls do nothing. */
  settle(end: AttemptEnd): void
}

/**
 * Why there is no place. `none`: no usable server has the model. `silent`: the process that counts the places did not
 * answer in time.
 */
export type NoPlace = 'none' | 'full' | 'queue-timeout' | 'caller-left' | 'silent'

/** Gives requests their places at the least busy servers, after a while in the queue while all are full. */
export interface UpstreamPlaces {
  /** A place without waiting; undefined when there is none. */
  tryTake(model: string): UpstreamPlace | undefined
  take(
    model: string,
    waiter: Waiter,
    tried: ReadonlySet<Upstream>,
  ): UpstreamPlace | Promise<UpstreamPlace | NoPlace>
}

const NONE_TRIED: ReadonlySet<Upstream> = new Set()

export interface PlaceParts {
  readonly clock: Clock
  readonly upstreams: UpstreamSet
  readonly queue: RequestQueue<UpstreamPlace>
}

export function createUpstreamPlaces({ clock, upstreams, queue }: PlaceParts): UpstreamPlaces {
  const reserve = (model: string, tried: ReadonlySet<Upstream>): UpstreamPlace | undefined => {
    const upstream = upstreams.choose(model, tried)
    if (upstream === undefined) return undefined
    upstream.inFlight++
    upstream.requests++
    upstream.breaker.begin()
    let isSettled = false
    const settle = (end: AttemptEnd) => {
      if (isSettled) return
      isSettled = true
      upstream.inFlight--
      recordResult(upstream, end, clock.monotonic())
      queue.wake()
    }
    return { upstream, settle }
  }
  const wait = async (
    model: string,
    waiter: Waiter,
    tried: ReadonlySet<Upstream>,
  ): Promise<WaitEnd<UpstreamPlace> | 'none'> => {
    if (!upstreams.canServe(model, tried)) return 'none'
    const ticket = queue.wait(() => reserve(model, tried))
    waiter.once('close', ticket.leave)
    const end = await ticket.end
    waiter.off('close', ticket.leave)
    return end
  }
  return {
    tryTake: (model) => reserve(model, NONE_TRIED),
    take: (model, waiter, tried) => reserve(model, tried) ?? wait(model, waiter, tried),
  }
}

/** Counts neither as a failure, since a full server is not broken, nor as a success, since no model answered. */
export const BUSY = 429

/** Statuses that mean the server, or the one behind it, is down. */
const SERVER_DOWN = new Set([502, 503, 504])

/**
 * Tells the breaker what an attempt says about the server: a 4xx is the caller's fault; a caller that disconnects, a full
 * server or our own lack of file descriptors says nothing. An internal error may be the request's fault (vLLM answers some
 * bodies with one): if it counted, one caller could take the server down for all others. Several in a row make the next health
 * check send a test request instead.
 */
function recordResult(upstream: Upstream, end: AttemptEnd, nowMs: number): void {
  const status = end.kind === 'done' || end.kind === 'retry' ? end.status : undefined
  const isInternal = status !== undefined && status >= 500 && !SERVER_DOWN.has(status)
  if (end.kind === 'done' && end.status < 500) upstream.noteAnswer(nowMs)
  const isShortage = end.kind === 'retry' && end.cause === 'shortage'
  if (end.kind === 'caller-left' || status === BUSY || isShortage) upstream.breaker.abandoned()
  else if (isInternal) {
    upstream.failures++
    upstream.internalErrors++
    upstream.breaker.abandoned()
  } else if (end.kind === 'done' && end.status < 500) {
    upstream.internalErrors = 0
    upstream.breaker.succeeded()
  } else {
    upstream.failures++
    upstream.breaker.failed()
  }
}
