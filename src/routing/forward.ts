import type { Clock } from '../kernel/index.js'
import type { Deadlines } from './deadlines.js'
import { watchLastBytes } from './lingering.js'
import { Relay, type RelayEnd } from './relay.js'
import type { ForwardedRequest } from './router.js'
import type { Outcome, RoutingLimits } from './types.js'
import { refuseUnavailable, type UnavailableReason } from './unavailable.js'
import type { Upstream } from './upstream.js'
import type { WaitEnd, WaitingLine } from './waiting-line.js'

type Upstreams = ReadonlySet<Upstream>

/** What forwarding needs of the router. */
export interface RouterState {
  readonly clock: Clock
  readonly limits: RoutingLimits
  readonly deadlines: Deadlines
  readonly line: WaitingLine
  readonly relays: Set<Relay>
  /** Some configured upstream has the model, up or not. */
  isKnown(model: string): boolean
  /** The least busy usable upstream with a free place. */
  choose(model: string, tried: Upstreams): Upstream | undefined
  /** Some usable upstream not tried yet has the model, full or not. */
  isServing(model: string, tried: Upstreams): boolean
}

/** What a caller is told when the last attempt ended so. */
const LACKS = { answer: 'failed', busy: 'full', connection: 'failed', timeout: 'timeout' } as const

/** Attempts for one request; more would only add to an overload. */
const MAX_ATTEMPTS = 3

/** Finds an upstream, waits shortly for one when all are full, and moves on to another until the first byte is sent. */
export async function forwardRequest(grounds: RouterState, exchange: ForwardedRequest): Promise<Outcome> {
  const { clock } = grounds
  const { response, model } = exchange
  const startedAt = clock.monotonic()
  const tried = new Set<Upstream>()
  let lack: UnavailableReason = grounds.isKnown(model) ? 'down' : 'unknown'
  let reason = ''
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const found = reservePlace(grounds, model, tried) ?? (await waitForPlace(grounds, exchange, tried))
    if (found === 'caller-gone') return { kind: 'caller-gone', reason: 'the caller left while waiting' }
    if (found === 'none') break
    if (found === 'full' || found === 'too-long') return refuseUnavailable(response, model, found, '')
    const mayMoveOn = attempt + 1 < MAX_ATTEMPTS
    const end = await relayOnce(grounds, exchange, found, { startedAt, tried, mayMoveOn })
    if (end.kind === 'done') {
      const { status, bytes, firstByteMs } = end
      const totalMs = clock.monotonic() - startedAt
      return { kind: 'answered', status, upstream: found.url, bytes, firstByteMs, totalMs }
    }
    if (end.kind === 'broken') return { ...end, upstream: found.url }
    if (end.kind === 'caller-gone') return { kind: 'caller-gone', reason: end.reason }
    reason = `${found.url}: ${end.reason}`
    lack = LACKS[end.cause]
    // A connection kept alive may have been closed by the server meanwhile: without another one it gets a second try.
    const mayRepeat = end.cause === 'connection' && attempt === 0
    if (!mayRepeat || grounds.isServing(model, new Set([found]))) tried.add(found)
  }
  return refuseUnavailable(response, model, lack, reason)
}

function reservePlace(grounds: RouterState, model: string, tried: Upstreams): Upstream | undefined {
  const upstream = grounds.choose(model, tried)
  if (upstream === undefined) return undefined
  upstream.inFlight++
  upstream.requests++
  upstream.breaker.begin()
  return upstream
}

async function waitForPlace(
  grounds: RouterState,
  exchange: ForwardedRequest,
  tried: Upstreams,
): Promise<WaitEnd | 'none'> {
  const { model, response } = exchange
  if (!grounds.isServing(model, tried)) return 'none'
  const ticket = grounds.line.wait(() => reservePlace(grounds, model, tried))
  response.once('close', ticket.leave)
  const end = await ticket.end
  response.off('close', ticket.leave)
  return end
}

/** What came before an attempt, and whether another may follow. */
interface Attempt {
  /** Monotonic milliseconds of the request's arrival. */
  readonly startedAt: number
  readonly tried: Upstreams
  readonly mayMoveOn: boolean
}

function relayOnce(
  grounds: RouterState,
  exchange: ForwardedRequest,
  upstream: Upstream,
  { startedAt, tried, mayMoveOn }: Attempt,
): Promise<RelayEnd> {
  const { response, model } = exchange
  const { clock, limits, deadlines, relays } = grounds
  return new Promise((resolve) => {
    const relay: Relay = new Relay({
      clock,
      limits,
      response,
      isStreamed: exchange.isStreamed,
      requestedAt: startedAt,
      // the last answer is passed on; "full" of one among several is told as that of all
      mayLeave: (status) =>
        (mayMoveOn || status === BUSY) && grounds.isServing(model, new Set([...tried, upstream])),
      onEnd: (end) => {
        upstream.inFlight--
        relays.delete(relay)
        deadlines.forget(relay)
        if (end.kind === 'done') watchLastBytes(clock, deadlines, response, limits.readerTimeoutMs)
        judge(upstream, end)
        grounds.line.wake()
        resolve(end)
      },
    })
    relays.add(relay)
    deadlines.watch(relay)
    if (response.destroyed) relay.cut()
    else relay.follow(upstream.send(exchange.path, upstream.bodyFor(exchange.body, model), relay))
  })
}

/** Neither good nor bad: a server that has no place now is no sick one, and no answer of a model either. */
const BUSY = 429

/** The server itself says that it, or what it stands for, is out of order. */
const OUT_OF_ORDER = new Set([502, 503, 504])

/**
 * What an attempt says about the server: a 4xx is the caller's doing, a caller that leaves or a full server says nothing.
 * An internal error may be the request's doing (vLLM answers some bodies so): one caller could shut the server for all with
 * it, so the server is asked by the next check instead.
 */
function judge(upstream: Upstream, end: RelayEnd): void {
  const status = end.kind === 'done' || end.kind === 'retry' ? end.status : undefined
  const isInternal = status !== undefined && status >= 500 && !OUT_OF_ORDER.has(status)
  if (end.kind === 'caller-gone' || status === BUSY) upstream.breaker.abandoned()
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
