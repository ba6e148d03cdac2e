import type { ServerResponse } from 'node:http'
import type { Clock, Log } from '../kernel/index.js'
import { createDeadlines } from './deadlines.js'
import { forwardRequest, type RouterState } from './forward.js'
import { createRequestQueue } from './request-queue.js'
import type { RoutingLimits, UpstreamSettings } from './settings.js'
import type { ForwardedRequest, Outcome, UpstreamReport } from './types.js'
import { type ModelUnavailableReason, refuseUnavailable } from './unavailable.js'
import type { Upstream } from './upstream.js'
import { UpstreamSet } from './upstream-set.js'

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

export interface Router {
  /** Models that can be served now, sorted. */
  models(): string[]
  /** The model of a request that names none; undefined when several are served, or none. */
  onlyModel(): string | undefined
  forward(request: ForwardedRequest): Promise<Outcome>
  /** Why no request for this model can be served, whatever its body; undefined when one can. */
  unavailableReason(model: string): ModelUnavailableReason | undefined
  /** Refuses a request for an unavailable model before its body is read. */
  refuse(response: ServerResponse, model: string, reason: ModelUnavailableReason): Outcome
  report(): UpstreamReport[]
  /** Applies new settings. Streams of removed upstreams finish; resolves after the first check of added ones. */
  reload(upstreams: readonly UpstreamSettings[]): Promise<void>
  /** Requests at upstreams now. */
  readonly inFlight: number
  /** Cuts requests in flight and closes every connection. */
  close(): Promise<void>
}

const NONE_TRIED: ReadonlySet<Upstream> = new Set()

/** Checks every upstream once, then keeps checking. An upstream that is down does not fail the start. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const { clock, log, limits, random = Math.random } = options
  const { connectTimeoutMs } = limits
  const stop = new AbortController()
  const deadlines = createDeadlines(clock, stop.signal)
  const upstreams = new UpstreamSet({ clock, log, limits, random, deadlines, connectTimeoutMs })
  const queue = createRequestQueue<Upstream>(clock, deadlines, limits)
  const state: RouterState = { clock, limits, deadlines, queue, upstreams, relays: new Set() }

  const close = async () => {
    stop.abort()
    for (const relay of state.relays) relay.cut()
    await upstreams.destroy()
  }
  const abortStart = () => void close()
  options.signal?.throwIfAborted()
  options.signal?.addEventListener('abort', abortStart, { once: true })
  await Promise.all(options.upstreams.map((settings) => upstreams.add(settings)))
  options.signal?.removeEventListener('abort', abortStart)

  return {
    models: () => upstreams.models(),
    onlyModel: () => upstreams.onlyModel(),
    forward: (request) => forwardRequest(state, request),
    unavailableReason: (model) => {
      if (!upstreams.has(model)) return 'unknown'
      return upstreams.canServe(model, NONE_TRIED) ? undefined : 'down'
    },
    refuse: (response, model, reason) => refuseUnavailable(response, model, reason, ''),
    report: () => upstreams.report(),
    reload: (settings) => upstreams.reload(settings),
    get inFlight() {
      return state.relays.size
    },
    close,
  }
}
