import { Pool } from 'undici'
import { type Breaker, type Clock, createBreaker, maskPasswords } from '../kernel/index.js'
import type { Connection } from './connection.js'
import { Connections } from './connections.js'
import type { Deadlines } from './deadlines.js'
import { servedNames, targetName } from './discovery.js'
import type { EngineLoad } from './engine-load.js'
import { editBody } from './json-body.js'
import type { ResponseReader } from './response-parser.js'
import type { UpstreamSettings } from './settings.js'
import type { ForwardedRequest, Health, MovedText, TokenIds, UpstreamReport } from './types.js'
import type { UpstreamState } from './upstream-state.js'

export interface UpstreamDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly deadlines: Deadlines
  readonly connectTimeoutMs: number
}

/** One model server: its connections, models, health and load. */
export class Upstream {
  readonly origin: string
  /** Path before /chat/completions, e.g. `/v1`. */
  readonly basePath: string
  readonly breaker: Breaker
  /** Carry the callers' requests. */
  readonly #streams: Connections
  /** For health, models and metrics: never queued behind streams. */
  readonly control: Pool
  settings: UpstreamSettings
  health: Health = { kind: 'unknown' }
  /** Consecutive failed health checks. */
  failedChecks = 0
  tokenIds: TokenIds = 'unknown'
  inFlight = 0
  requests = 0
  failures = 0
  /** Consecutive responses with an internal error. */
  internalErrors = 0
  engine: EngineLoad | undefined
  tokensPerSecond: number | undefined
  /** Our own requests when /metrics was read, to tell them from those of other clients. */
  inFlightAtScrape = 0
  /** Monotonic milliseconds of the last read of /metrics. */
  scrapedAt = 0
  /** By its list of models or GET /version; undefined until one of them has told. */
  isVllm: boolean | undefined
  /** Where the text of a chat goes instead of `content`; undefined until a probe has told. */
  movedText: MovedText | undefined
  /** Responses being passed on. */
  readonly relays = new Set<{ readonly lastByteAt: number | undefined }>()
  /** Monotonic milliseconds of the last response without an error of the server. */
  #answeredAt = Number.NEGATIVE_INFINITY
  #listedModels: readonly string[] | undefined
  /** Whether the process that checks this server lets requests through; undefined in that process itself. */
  #isOpen: boolean | undefined
  #servedModels: ReadonlySet<string> = new Set()
  #headers: Readonly<Record<string, string>> = {}
  /** Header lines of every caller's request, except the length. */
  #streamLines = ''

  constructor(settings: UpstreamSettings, { clock, random, deadlines, connectTimeoutMs }: UpstreamDeps) {
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

  /** Requests of other clients at this server, by its last metrics. */
  get otherRequests(): number {
    return this.engine === undefined
      ? 0
      : Math.max(0, this.engine.running + this.engine.waiting - this.inFlightAtScrape)
  }

  get isUsable(): boolean {
    return this.health.kind === 'up' && this.#allows
  }

  /** It did not answer a check in time: better than no server at all. */
  get isLastResort(): boolean {
    return this.health.kind === 'down' && this.health.isSilent && this.#allows
  }

  get #allows(): boolean {
    return this.#isOpen ?? this.breaker.allows()
  }

  /** What another process needs to forward requests to this server. */
  state(): UpstreamState {
    const { settings, health, tokenIds } = this
    return { settings, health, tokenIds, isOpen: this.#allows, listedModels: this.#listedModels ?? null }
  }

  /** Applies the state that another process sent. */
  follow({ settings, health, tokenIds, isOpen, listedModels }: UpstreamState): void {
    this.health = health
    this.tokenIds = tokenIds
    this.#isOpen = isOpen
    this.#listedModels = listedModels ?? undefined
    this.configure(settings)
  }

  noteAnswer(atMs: number): void {
    this.#answeredAt = Math.max(this.#answeredAt, atMs)
  }

  /** Monotonic milliseconds of the last bytes or answer for a caller, stronger evidence than any check. */
  lastAliveAt(): number {
    let latest = this.#answeredAt
    for (const { lastByteAt } of this.relays) latest = Math.max(latest, lastByteAt ?? latest)
    return latest
  }

  get servedModels(): ReadonlySet<string> {
    return this.#servedModels
  }

  /** Headers of every request to this server. */
  get headers(): Readonly<Record<string, string>> {
    return this.#headers
  }

  /** Sends a caller's request, already known to be JSON. No compression, so that bytes can be passed on as they arrive. */
  send(path: string, body: Buffer, reader: ResponseReader): Connection {
    const head = `POST ${this.basePath}${path} HTTP/1.1\r\n${this.#streamLines}content-length: ${body.length}\r\n\r\n`
    return this.#streams.send(head, body, reader)
  }

  /** @param models as the server lists them; undefined when it has no list. */
  setListedModels(models: readonly string[] | undefined): void {
    this.#listedModels = models
    this.#servedModels = servedNames(this.settings.models, this.settings.aliases, models)
  }

  configure(settings: UpstreamSettings): void {
    this.settings = settings
    this.#setHeaders()
    this.setListedModels(this.#listedModels)
  }

  /** Built once, not for every request. */
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

  /** The served models by the names this server uses. */
  targetModels(): string[] {
    return [...this.#servedModels].map((name) => targetName(this.settings.aliases, name))
  }

  /** The body to send to this server: the caller's own bytes unless an alias, token ids or a missing model require a change. */
  bodyFor(
    body: Buffer,
    model: string,
    about: Pick<ForwardedRequest, 'isModelImplied' | 'outline'> = {},
  ): Buffer {
    const target = targetName(this.settings.aliases, model)
    const addTokenIds = this.settings.addTokenIds && this.tokenIds === 'on-request'
    // A server that lists this model alone takes it for the one that is meant.
    const addModel = about.isModelImplied === true && this.#listedModels?.join() !== target
    const setsModel = addModel || (target !== model && !about.isModelImplied)
    if (!setsModel && !addTokenIds) return body
    return editBody(body, { ...(setsModel ? { model: target } : {}), addModel, addTokenIds }, about.outline)
  }

  report(): UpstreamReport {
    return {
      url: maskPasswords(this.url),
      health: this.health.kind,
      reason: this.health.kind === 'down' ? maskPasswords(this.health.reason) : null,
      breaker: this.breaker.state(),
      models: [...this.#servedModels].sort(),
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

  /** Lets streams in flight finish; `destroy` cuts them. */
  async close(): Promise<void> {
    this.#streams.close()
    await this.control.destroy()
  }

  async destroy(): Promise<void> {
    this.#streams.destroy()
    await this.control.destroy()
  }
}
