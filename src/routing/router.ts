import type { ServerResponse } from 'node:http'
import type { Clock, Log } from '../kernel/index.js'
import { chooseLeastBusy } from './choice.js'
import { createDeadlines } from './deadlines.js'
import { forwardRequest, type RouterState } from './forward.js'
import { checkUpstream, type HealthDeps, watchUpstream } from './health.js'
import type { Outcome, RoutingLimits, UpstreamReport, UpstreamSettings } from './types.js'
import { type ModelUnavailableReason, refuseUnavailable } from './unavailable.js'
import { Upstream } from './upstream.js'
import { createWaitingLine } from './waiting-line.js'

export interface RouterOptions {
  readonly clock: Clock
  readonly log: Log
  readonly upstreams: readonly UpstreamSettings[]
  readonly limits: RoutingLimits
  /** Ends the start, not the routing. */
  readonly signal?: AbortSignal
  /** 0 ≤ x < 1, default Math.random: spreads recoveries and equal choices. */
  readonly random?: () => number
}

/** One accepted request. The router writes the answer, whatever it is. */
export interface ForwardedRequest {
  readonly path: '/chat/completions' | '/completions'
  readonly body: Buffer
  readonly model: string
  readonly isStreamed: boolean
  readonly response: ServerResponse
}

export interface Router {
  /** Names that can be answered now, sorted. */
  models(): string[]
  forward(exchange: ForwardedRequest): Promise<Outcome>
  /** Why a request for this model cannot be answered whatever its body; undefined when it can. */
  unavailableReason(model: string): ModelUnavailableReason | undefined
  /** Answers a request that lacks a server, before its body was read. */
  refuse(response: ServerResponse, model: string, lack: ModelUnavailableReason): Outcome
  report(): UpstreamReport[]
  /** Takes new settings; streams under way at a removed upstream finish. Resolves when new upstreams were asked once. */
  reload(upstreams: readonly UpstreamSettings[]): Promise<void>
  /** Requests at upstreams now. */
  readonly inFlight: number
  /** Cuts what is under way and frees every connection. */
  close(): Promise<void>
}

const NONE_TRIED: ReadonlySet<Upstream> = new Set()

/** Starts routing: asks every upstream once, then keeps watching them. An upstream that is down is no failure. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const { clock, log, limits, random = Math.random } = options
  const { connectTimeoutMs } = limits
  const stop = new AbortController()
  const deps: HealthDeps = { clock, log, random, limits }
  const deadlines = createDeadlines(clock, stop.signal)
  const line = createWaitingLine(clock, deadlines, limits)
  const active = new Map<Upstream, AbortController>()

  const add = async (settings: UpstreamSettings) => {
    const upstream = new Upstream(settings, { clock, random, deadlines, connectTimeoutMs })
    const watch = new AbortController()
    active.set(upstream, watch)
    await checkUpstream(deps, upstream, watch.signal)
    void watchUpstream(deps, upstream, watch.signal)
  }
  const remove = async (upstream: Upstream) => {
    active.get(upstream)?.abort()
    active.delete(upstream)
    await upstream.close()
  }
  const usable = function* (model: string, tried: ReadonlySet<Upstream>) {
    for (const one of active.keys()) if (one.served.has(model) && one.usable && !tried.has(one)) yield one
  }
  const grounds: RouterState = {
    clock,
    limits,
    deadlines,
    line,
    relays: new Set(),
    isKnown: (model) => {
      for (const one of active.keys()) if (one.served.has(model)) return true
      return false
    },
    choose: (model, tried) => chooseLeastBusy(usable(model, tried), random),
    isServing: (model, tried) => usable(model, tried).next().done === false,
  }

  const close = async () => {
    stop.abort()
    for (const relay of grounds.relays) relay.cut()
    const upstreams = [...active]
    active.clear()
    for (const [, watch] of upstreams) watch.abort()
    await Promise.all(upstreams.map(([one]) => one.destroy()))
  }

  const endStart = () => void close()
  options.signal?.throwIfAborted()
  options.signal?.addEventListener('abort', endStart, { once: true })
  await Promise.all(options.upstreams.map(add))
  options.signal?.removeEventListener('abort', endStart)
  return {
    models: () =>
      [...new Set([...active.keys()].filter((one) => one.usable).flatMap((one) => [...one.served]))].sort(),
    forward: (exchange) => forwardRequest(grounds, exchange),
    unavailableReason: (model) =>
      !grounds.isKnown(model) ? 'unknown' : grounds.isServing(model, NONE_TRIED) ? undefined : 'down',
    refuse: (response, model, lack) => refuseUnavailable(response, model, lack, ''),
    report: () => [...active.keys()].map((one) => one.report()),
    get inFlight() {
      return grounds.relays.size
    },
    reload: async (upstreams) => {
      const known = new Map([...active.keys()].map((one) => [one.url, one]))
      const kept = new Set(upstreams.map(({ url }) => url))
      for (const [url, one] of known) {
        if (!kept.has(url))
          void remove(one).catch((error: unknown) =>
            log.warn(
              { event: 'upstream-close-failed', err: error },
              "could not close a model server's connections",
            ),
          )
      }
      await Promise.all(
        upstreams.map(async (settings) => {
          const one = known.get(settings.url)
          if (one === undefined) await add(settings)
          else one.configure(settings)
        }),
      )
      log.info({ event: 'upstreams-reloaded', upstreams: [...kept] }, 'reloaded the model servers')
    },
    close,
  }
}
