import { checkUpstream, type HealthDeps, watchUpstream } from './health.js'
import type { UpstreamSettings } from './settings.js'
import type { UpstreamReport } from './types.js'
import { Upstream, type UpstreamDeps } from './upstream.js'
import type { UpstreamState } from './upstream-state.js'

/** The configured model servers. Each is health-checked in the background until it is removed. */
export class UpstreamSet {
  readonly #deps: HealthDeps & UpstreamDeps
  readonly #watches = new Map<Upstream, AbortController>()

  constructor(deps: HealthDeps & UpstreamDeps) {
    this.#deps = deps
  }

  /** Resolves after the first check, whether the server is up or not. */
  async add(settings: UpstreamSettings): Promise<void> {
    const upstream = new Upstream(settings, this.#deps)
    const watch = new AbortController()
    this.#watches.set(upstream, watch)
    await checkUpstream(this.#deps, upstream, watch.signal)
    void watchUpstream(this.#deps, upstream, watch.signal)
  }

  /** Applies new settings. Streams of removed servers finish; resolves after the first check of added ones. */
  async reload(settings: readonly UpstreamSettings[]): Promise<void> {
    const known = new Map([...this.#watches.keys()].map((one) => [one.url, one]))
    const kept = new Set(settings.map(({ url }) => url))
    for (const [url, one] of known) if (!kept.has(url)) void this.#remove(one)
    await Promise.all(
      settings.map(async (one) => {
        const upstream = known.get(one.url)
        if (upstream === undefined) await this.add(one)
        else upstream.configure(one)
      }),
    )
    const { log } = this.#deps
    log.info({ event: 'upstreams-reloaded', upstreams: [...kept] }, 'reloaded the model servers')
  }

  /** Applies the states that another process sent; nothing is checked here. Streams of removed servers finish. */
  follow(states: readonly UpstreamState[]): void {
    const kept = new Set(states.map(({ settings }) => settings.url))
    for (const one of this.#watches.keys()) if (!kept.has(one.url)) void this.#remove(one)
    for (const state of states) {
      const known = this.find(state.settings.url)
      const upstream = known ?? new Upstream(state.settings, this.#deps)
      if (known === undefined) this.#watches.set(upstream, new AbortController())
      upstream.follow(state)
    }
  }

  states(): UpstreamState[] {
    return [...this.#watches.keys()].map((one) => one.state())
  }

  find(url: string): Upstream | undefined {
    for (const one of this.#watches.keys()) if (one.url === url) return one
    return undefined
  }

  /** Some server has the model, up or not. */
  has(model: string): boolean {
    for (const one of this.#watches.keys()) if (one.servedModels.has(model)) return true
    return false
  }

  /** Some usable server outside `tried` has the model, full or not. */
  canServe(model: string, tried: ReadonlySet<Upstream>): boolean {
    return this.#candidates(model, tried).length > 0
  }

  /** The least busy usable server with a free place. */
  choose(model: string, tried: ReadonlySet<Upstream>): Upstream | undefined {
    return chooseLeastBusy(this.#candidates(model, tried), this.#deps.random)
  }

  /** Models that can be served now, sorted. */
  models(): string[] {
    const usable = this.#usable()
    return [...new Set(usable.flatMap((one) => [...one.servedModels]))].sort()
  }

  /** The model that is meant when a request names none: every usable server has it, under whatever names, and no other. */
  onlyModel(): string | undefined {
    const usable = this.#usable()
    if (usable.some((one) => new Set(one.targetModels()).size !== 1)) return undefined
    return this.models().find((name) => usable.every((one) => one.servedModels.has(name)))
  }

  /** When each server last sent something for a caller, in monotonic milliseconds. */
  lastAlive(): { readonly url: string; readonly at: number }[] {
    return [...this.#watches.keys()].flatMap((one) => {
      const at = one.lastAliveAt()
      return Number.isFinite(at) ? [{ url: one.url, at }] : []
    })
  }

  report(): UpstreamReport[] {
    return [...this.#watches.keys()].map((one) => one.report())
  }

  /** Cuts every connection. */
  async destroy(): Promise<void> {
    const all = [...this.#watches]
    this.#watches.clear()
    for (const [, watch] of all) watch.abort()
    await Promise.all(all.map(([upstream]) => upstream.destroy()))
  }

  async #remove(upstream: Upstream): Promise<void> {
    this.#watches.get(upstream)?.abort()
    this.#watches.delete(upstream)
    try {
      await upstream.close()
    } catch (error) {
      const { log } = this.#deps
      log.warn(
        { event: 'upstream-close-failed', upstream: upstream.url, err: error },
        "could not close a model server's connections",
      )
    }
  }

  /** Servers for a request: those that are up, else those that only failed to answer a check in time. */
  #candidates(model: string, tried: ReadonlySet<Upstream>): Upstream[] {
    const untried = [...this.#watches.keys()].filter((one) => one.servedModels.has(model) && !tried.has(one))
    const up = untried.filter((one) => one.isUsable)
    return up.length > 0 ? up : untried.filter((one) => one.isLastResort)
  }

  #usable(): Upstream[] {
    return [...this.#watches.keys()].filter((one) => one.isUsable || one.isLastResort)
  }
}

/** What the choice of an upstream depends on. */
export interface Load {
  readonly inFlight: number
  readonly maxInFlight: number
  readonly weight: number
  /** Requests of other clients, by the server's own count. */
  readonly otherRequests: number
}

/** The candidate with a free place and the lowest load per weight; ties are broken at random. */
export function chooseLeastBusy<U extends Load>(
  candidates: Iterable<U>,
  random: () => number,
): U | undefined {
  let best: U | undefined
  let lowest = Number.POSITIVE_INFINITY
  let ties = 0
  for (const candidate of candidates) {
    if (candidate.inFlight >= candidate.maxInFlight) continue
    const load = (candidate.inFlight + candidate.otherRequests + 1) / candidate.weight
    if (load < lowest) {
      best = candidate
      lowest = load
      ties = 1
    } else if (load === lowest) {
      ties++
      if (random() * ties < 1) best = candidate
    }
  }
  return best
}
