import { Pool } from 'undici'
import type { Clock } from '../clock.js'
import { editBody } from './body-edit.js'
import { type Breaker, createBreaker } from './breaker.js'
import { servedNames, targetName } from './discovery.js'
import type { EngineLoad } from './engine-load.js'
import type { TokenIds } from './token-ids.js'
import type { Health, UpstreamReport, UpstreamSettings } from './types.js'

/** One model server: its connections, what it serves, how it does. */
export class Upstream {
  readonly origin: string
  /** Path before /chat/completions, e.g. `/v1`. */
  readonly basePath: string
  readonly breaker: Breaker
  /** Streams of callers. */
  readonly streams: Pool
  /** Health, models, metrics: never queued behind streams. */
  readonly control: Pool
  settings: UpstreamSettings
  health: Health = { kind: 'unknown' }
  tokenIds: TokenIds = 'unknown'
  inFlight = 0
  requests = 0
  failures = 0
  engine: EngineLoad | undefined
  tokensPerSecond: number | undefined
  /** Ours at the moment the engine was asked, to tell foreign load from our own. */
  ownAtScrape = 0
  /** Monotonic milliseconds of the last look at /metrics. */
  scrapedAt = 0
  #listed: readonly string[] | undefined
  #served: ReadonlySet<string> = new Set()
  #headers: Readonly<Record<string, string>> = {}
  #streamHeaders: Readonly<Record<string, string>> = {}

  constructor(settings: UpstreamSettings, clock: Clock, random: () => number, connectTimeoutMs: number) {
    const url = new URL(settings.url)
    this.origin = url.origin
    this.basePath = url.pathname.replace(/\/+$/, '')
    this.settings = settings
    this.#setHeaders()
    this.breaker = createBreaker({ clock, random })
    const connect = { timeout: connectTimeoutMs }
    this.streams = new Pool(this.origin, {
      connections: null,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect,
    })
    this.control = new Pool(this.origin, { connections: 2, pipelining: 1, connect })
  }

  get url(): string {
    return this.settings.url
  }

  get maxInFlight(): number {
    return this.settings.maxInFlight
  }

  get weight(): number {
    return this.settings.weight
  }

  /** Requests of others at this server, by its last metrics. */
  get foreign(): number {
    return this.engine === undefined
      ? 0
      : Math.max(0, this.engine.running + this.engine.waiting - this.ownAtScrape)
  }

  get usable(): boolean {
    return this.health.kind === 'up' && this.breaker.allows()
  }

  get served(): ReadonlySet<string> {
    return this.#served
  }

  /** Headers of every request to this server. */
  get headers(): Readonly<Record<string, string>> {
    return this.#headers
  }

  /** Headers of a caller's request, which is JSON by then; no compression, so that bytes can go on as they come. */
  get streamHeaders(): Readonly<Record<string, string>> {
    return this.#streamHeaders
  }

  /** Takes the list of the server, undefined when it has none. */
  list(models: readonly string[] | undefined): void {
    this.#listed = models
    this.#served = servedNames(this.settings.models, this.settings.aliases, models)
  }

  configure(settings: UpstreamSettings): void {
    this.settings = settings
    this.#setHeaders()
    this.list(this.#listed)
  }

  /** Made once for all requests, not for each. */
  #setHeaders(): void {
    const { apiKey } = this.settings
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
    this.#streamHeaders = {
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      ...this.#headers,
    }
  }

  /** Served names as this server calls them. */
  targets(): string[] {
    return [...this.#served].map((name) => targetName(this.settings.aliases, name))
  }

  /** The body as this server needs it: the caller’s own bytes unless an alias or missing token ids make it differ. */
  bodyFor(body: Buffer, model: string): Buffer {
    const target = targetName(this.settings.aliases, model)
    const addTokenIds = this.settings.addTokenIds && this.tokenIds === 'on-request'
    if (target === model && !addTokenIds) return body
    return editBody(body, { ...(target === model ? {} : { model: target }), addTokenIds })
  }

  report(): UpstreamReport {
    return {
      url: this.url,
      health: this.health.kind,
      reason: this.health.kind === 'down' ? this.health.reason : null,
      breaker: this.breaker.state(),
      models: [...this.#served].sort(),
      weight: this.weight,
      inFlight: this.inFlight,
      maxInFlight: this.maxInFlight,
      running: this.engine?.running ?? null,
      waiting: this.engine?.waiting ?? null,
      tokensPerSecond: this.tokensPerSecond ?? null,
      tokenIds: this.tokenIds,
      requests: this.requests,
      failures: this.failures,
    }
  }

  /** Lets streams under way finish; connections still open when the grace is over are cut by `destroy`. */
  async close(): Promise<void> {
    await Promise.all([this.streams.close(), this.control.destroy()])
  }

  async destroy(): Promise<void> {
    await Promise.all([this.streams.destroy(), this.control.destroy()])
  }
}
