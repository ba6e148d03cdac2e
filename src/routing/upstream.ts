import { Pool } from 'undici'
import { type Breaker, type Clock, createBreaker } from '../kernel/index.js'
import { editBody } from './body-edit.js'
import type { Connection, ResponseReader } from './connection.js'
import { Connections } from './connections.js'
import type { Deadlines } from './deadlines.js'
import { servedNames, targetName } from './discovery.js'
import type { EngineLoad } from './engine-load.js'
import type { TokenIds } from './token-ids.js'
import type { Health, UpstreamReport, UpstreamSettings } from './types.js'

export interface UpstreamSurroundings {
  readonly clock: Clock
  readonly random: () => number
  readonly deadlines: Deadlines
  readonly connectTimeoutMs: number
}

/** One model server: its connections, what it serves, how it does. */
export class Upstream {
  readonly origin: string
  /** Path before /chat/completions, e.g. `/v1`. */
  readonly basePath: string
  readonly breaker: Breaker
  /** Requests of callers. */
  readonly #streams: Connections
  /** Health, models, metrics: never queued behind streams. */
  readonly control: Pool
  settings: UpstreamSettings
  health: Health = { kind: 'unknown' }
  /** Checks in a row without a good answer. */
  misses = 0
  tokenIds: TokenIds = 'unknown'
  inFlight = 0
  requests = 0
  failures = 0
  /** Answers with an internal error in a row. */
  internalErrors = 0
  engine: EngineLoad | undefined
  tokensPerSecond: number | undefined
  /** Ours at the moment the engine was asked, to tell foreign load from our own. */
  ownAtScrape = 0
  /** Monotonic milliseconds of the last look at /metrics. */
  scrapedAt = 0
  #listed: readonly string[] | undefined
  #served: ReadonlySet<string> = new Set()
  #headers: Readonly<Record<string, string>> = {}
  /** Lines of every request of a caller but its first and its length. */
  #streamLines = ''

  constructor(
    settings: UpstreamSettings,
    { clock, random, deadlines, connectTimeoutMs }: UpstreamSurroundings,
  ) {
    const url = new URL(settings.url)
    this.origin = url.origin
    this.basePath = url.pathname.replace(/\/+$/, '')
    this.settings = settings
    this.#setHeaders()
    this.breaker = createBreaker({ clock, random })
    this.#streams = new Connections(url, clock, deadlines)
    this.control = new Pool(this.origin, {
      connections: 2,
      pipelining: 1,
      connect: { timeout: connectTimeoutMs },
    })
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

  /** Sends a caller's request, which is JSON by then; no compression, so that bytes can go on as they come. */
  send(path: string, body: Buffer, reader: ResponseReader): Connection {
    const head = `POST ${this.basePath}${path} HTTP/1.1\r\n${this.#streamLines}content-length: ${body.length}\r\n\r\n`
    return this.#streams.send(head, body, reader)
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
    const lines = {
      host: new URL(this.origin).host,
      'content-type': 'application/json',
      'accept-encoding': 'identity',
      ...this.#headers,
    }
    this.#streamLines = Object.entries(lines)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
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
    this.#streams.close()
    await this.control.destroy()
  }

  async destroy(): Promise<void> {
    this.#streams.destroy()
    await this.control.destroy()
  }
}
