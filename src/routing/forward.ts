import type { ServerResponse } from 'node:http'
import type { Clock } from '../kernel/index.js'
import type { Deadlines, Timed } from './deadlines.js'
import { Relay, type RelayEnd } from './relay.js'
import type { RoutingLimits } from './settings.js'
import type { ForwardedRequest, Outcome } from './types.js'
import { refuseUnavailable, type UnavailableReason } from './unavailable.js'
import type { Upstream } from './upstream.js'
import { BUSY, type UpstreamPlace, type UpstreamPlaces } from './upstream-places.js'
import type { UpstreamSet } from './upstream-set.js'

/** What all requests of a router share. */
export interface RouterState {
  readonly clock: Clock
  readonly limits: RoutingLimits
  readonly deadlines: Deadlines
  readonly places: Pick<UpstreamPlaces, 'take'>
  readonly upstreams: UpstreamSet
  readonly relays: Set<Relay>
}

/** Why the model is unavailable, by the cause that ended the last attempt. */
const REASONS = {
  status: 'failed',
  busy: 'full',
  connection: 'failed',
  timeout: 'timeout',
  shortage: 'shortage',
} as const

/** Attempts for one request; more would only add to an overload. */
const MAX_ATTEMPTS = 3

/** Chooses an upstream, queues briefly when all are full, and retries on another until the first byte has been sent. */
export async function forwardRequest(state: RouterState, request: ForwardedRequest): Promise<Outcome> {
  const { clock, upstreams } = state
  const { response, model } = request
  const startedAt = clock.monotonic()
  const tried = new Set<Upstream>()
  let unavailable: UnavailableReason = upstreams.has(model) ? 'down' : 'unknown'
  let detail = ''
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const taken = state.places.take(model, response, tried)
    const place = taken instanceof Promise ? await taken : taken
    if (place === 'caller-left')
      return { kind: 'caller-left', reason: 'the caller disconnected while queued' }
    if (place === 'none') break
    if (typeof place === 'string') return refuseUnavailable(response, model, place, '')
    const { upstream } = place
    const isLast = attempt + 1 === MAX_ATTEMPTS
    const end = await relayOnce(state, request, place, { startedAt, tried, isLast })
    if (end.kind === 'done') {
      const { status, bytes, firstByteMs } = end
      const totalMs = clock.monotonic() - startedAt
      return { kind: 'answered', status, upstream: upstream.url, bytes, firstByteMs, totalMs }
    }
    if (end.kind === 'broken') return { ...end, upstream: upstream.url }
    if (end.kind === 'caller-left') return { kind: 'caller-left', reason: end.reason }
    detail = `${upstream.url}: ${end.reason}`
    unavailable = REASONS[end.cause]
    if (end.cause === 'shortage') break
    // The server may have closed a kept-alive connection just now: the only upstream of a model gets a second attempt.
    const mayRepeat = end.cause === 'connection' && attempt === 0
    if (!mayRepeat || upstreams.canServe(model, new Set([upstream]))) tried.add(upstream)
  }
  return refuseUnavailable(response, model, unavailable, detail)
}

interface Attempt {
  /** Monotonic milliseconds at which the request arrived. */
  readonly startedAt: number
  /** Upstreams of earlier attempts. */
  readonly tried: ReadonlySet<Upstream>
  readonly isLast: boolean
}

function relayOnce(
  state: RouterState,
  request: ForwardedRequest,
  { upstream, settle }: UpstreamPlace,
  { startedAt, tried, isLast }: Attempt,
): Promise<RelayEnd> {
  const { clock, limits, deadlines, relays } = state
  const { response, model, isStreamed, path, body } = request
  return new Promise((resolve) => {
    const relay: Relay = new Relay({
      clock,
      limits,
      response,
      isStreamed,
      requestedAt: startedAt,
      // The last attempt's response is passed on, except a 429 while another server could still serve: that means busy.
      mayRetry: (status) =>
        (!isLast || status === BUSY) && state.upstreams.canServe(model, new Set([...tried, upstream])),
      onEnd: (end) => {
        upstream.relays.delete(relay)
        relays.delete(relay)
        deadlines.forget(relay)
        if (end.kind === 'done') limitLastBytes(clock, deadlines, response, limits.readerTimeoutMs)
        settle(end)
        resolve(end)
      },
    })
    relays.add(relay)
    upstream.relays.add(relay)
    deadlines.watch(relay)
    if (response.destroyed) relay.cut()
    else relay.attach(upstream.send(path, upstream.bodyFor(body, model, request), relay))
  })
}

/** The last bytes may still wait for a caller that stopped reading: it is cut after the same time as any other. */
function limitLastBytes(
  clock: Clock,
  deadlines: Deadlines,
  response: ServerResponse,
  readerTimeoutMs: number,
): void {
  if (response.writableFinished || response.destroyed) return
  const startedAt = clock.monotonic()
  const item: Timed = {
    check: (now) => {
      if (now - startedAt >= readerTimeoutMs) response.destroy()
    },
  }
  deadlines.watch(item)
  response.once('close', () => deadlines.forget(item))
}
