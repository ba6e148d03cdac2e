import type { ServerResponse } from 'node:http'
import type { Clock, Log } from '../kernel/index.js'
import { createDeadlines } from './deadlines.js'
import { forwardRequest, type RouterState } from './forward.js'
import { createRequestQueue } from './request-queue.js'
import type { RoutingLimits, UpstreamSettings } from './settings.js'
import { type SharedPlaces, sharePlaces, useSharedPlaces } from './shared-places.js'
import type { ForwardedRequest, Outcome, UpstreamReport } from './types.js'
import { type ModelUnavailableReason, refuseUnavailable } from './unavailable.js'
import type { Upstream } from './upstream.js'
import { createUpstreamPlaces, type UpstreamPlace } from './upstream-places.js'
import { UpstreamSet } from './upstream-set.js'
import type { UpstreamState } from './upstream-state.js'

export interface RouterOptions {
  readonly clock: Clock
  readonly log: Log
  readonly upstreams: readonly UpstreamSettings[]
  readonly limits: RoutingLimits
  /** Aborts the start; a router that runs is ended by `close`. */
  readonly signal?: AbortSignal
  /** 0 ≤ x < 1, default Math.random: spreads retries and breaks ties. */
  readonly random?: () => number
}

/** Forwards requests to the upstreams. */
export interface Forwarder {
  /** Models that can be served now, sorted. */
  models(): string[]
  /** The model of a request that names none; undefined when several are served, or none. */
  onlyModel(): string | undefined
  forward(request: ForwardedRequest): Promise<Outcome>
  /** Why no request for this model can be served, whatever its body; undefined when one can. */
  unavailableReason(model: string): ModelUnavailableReason | undefined
  /** Refuses a request for an unavailable model before its body is read. */
  refuse(response: ServerResponse, model: string, reason: ModelUnavailableReason): Outcome
  /** Requests at upstreams now. */
  readonly inFlight: number
  /** Cuts requests in flight and closes every connection. */
  close(): Promise<void>
}

/** Also checks the upstreams. */
export interface Router extends Forwarder {
  report(): UpstreamReport[]
  /** Applies new settings. Streams of removed upstreams finish; resolves after the first check of added ones. */
  reload(upstreams: readonly UpstreamSettings[]): Promise<void>
  /** For other processes that forward requests to the same upstreams: the states that they follow, and the places that they take. */
  states(): UpstreamState[]
  readonly sharedPlaces: SharedPlaces
  /** Notes that another process received something from this upstream so many milliseconds ago. */
  noteAlive(url: string, ageMs: number): void
}

/** A router that leaves the checks, the choice and the counts to another process. */
export interface FollowingRouter extends Forwarder {
  follow(states: readonly UpstreamState[]): void
  /** How long ago each upstream last sent something for a caller. */
  aliveAges(): { readonly url: string; readonly ageMs: number }[]
}

const NONE_TRIED: ReadonlySet<Upstream> = new Set()

/** Checks every upstream once, then keeps checking. An upstream that is down does not fail the start. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const { clock } = options
  const { upstreams, deadlines, close } = openUpstreams(options)
  const queue = createRequestQueue<UpstreamPlace>(clock, deadlines, options.limits)
  const places = createUpstreamPlaces({ clock, upstreams, queue })
  const state: RouterState = { ...options, deadlines, places, upstreams, relays: new Set() }
  const end = () => close(state)
  const abortStart = () => void end()
  options.signal?.throwIfAborted()
  options.signal?.addEventListener('abort', abortStart, { once: true })
  await Promise.all(options.upstreams.map((settings) => upstreams.add(settings)))
  options.signal?.removeEventListener('abort', abortStart)
  return Object.assign(forwarderOf(state, end), {
    report: () => upstreams.report(),
    reload: (settings: readonly UpstreamSettings[]) => upstreams.reload(settings),
    states: () => upstreams.states(),
    sharedPlaces: sharePlaces(places, upstreams),
    noteAlive: (url: string, ageMs: number) => upstreams.find(url)?.noteAnswer(clock.monotonic() - ageMs),
  })
}

/** Forwards requests to the upstreams that it follows, at places that another process counts. */
export function openFollowingRouter(
  options: Omit<RouterOptions, 'upstreams' | 'signal'> & {
    readonly sharedPlaces: Pick<SharedPlaces, 'take'>
  },
): FollowingRouter {
  const { clock } = options
  const { upstreams, deadlines, close } = openUpstreams(options)
  const places = useSharedPlaces(options.sharedPlaces, upstreams)
  const state: RouterState = { ...options, deadlines, places, upstreams, relays: new Set() }
  return Object.assign(
    forwarderOf(state, () => close(state)),
    {
      follow: (states: readonly UpstreamState[]) => upstreams.follow(states),
      aliveAges: () => {
        const now = clock.monotonic()
        return upstreams.lastAlive().map(({ url, at }) => ({ url, ageMs: now - at }))
      },
    },
  )
}

function openUpstreams({ clock, log, limits, random = Math.random }: Omit<RouterOptions, 'upstreams'>) {
  const { connectTimeoutMs } = limits
  const stop = new AbortController()
  const deadlines = createDeadlines(clock, stop.signal)
  const upstreams = new UpstreamSet({ clock, log, limits, random, deadlines, connectTimeoutMs })
  const close = async ({ relays }: RouterState) => {
    stop.abort()
    for (const relay of relays) relay.cut()
    await upstreams.destroy()
  }
  return { upstreams, deadlines, close }
}

function forwarderOf(state: RouterState, close: () => Promise<void>): Forwarder {
  const { upstreams, relays } = state
  return {
    models: () => upstreams.models(),
    onlyModel: () => upstreams.onlyModel(),
    forward: (request) => forwardRequest(state, request),
    unavailableReason: (model) => {
      if (!upstreams.has(model)) return 'unknown'
      return upstreams.canServe(model, NONE_TRIED) ? undefined : 'down'
    },
    refuse: (response, model, reason) => refuseUnavailable(response, model, reason, ''),
    get inFlight() {
      return relays.size
    },
    close,
  }
}
