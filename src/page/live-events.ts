import type { ServerResponse } from 'node:http'
import { type Clock, every, type Log, maskPasswords } from '../kernel/index.js'
import { ChangeTracker, type LiveDocument, type RowKeys } from './document-change.js'
import { EventClient } from './event-client.js'

export interface LiveEventsOptions {
  readonly clock: Clock
  readonly log: Log
  /** The documents now; read once per interval while a page is open. */
  readonly read: () => LiveDocument
  readonly rowKeys: RowKeys
}

/** Browsers open at most six connections to a host, so this is room for several people. */
export const MAX_CLIENTS = 16
export const UPDATE_MS = 1000
/** An event without news keeps the connection through proxies and tunnels, and shows both ends that the other one lives. */
export const HEARTBEAT_MS = 15_000

/**
 * Server-sent events (WHATWG HTML, 9.2) with the documents of a page: `snapshot` on every connection, also one that returns,
 * then `change` whenever something differs. Nothing is read while no page is open.
 */
export class LiveEvents {
  readonly #options: LiveEventsOptions
  readonly #clients = new Set<EventClient>()
  #tracker: ChangeTracker
  #ticking = new AbortController()
  #sent = 0
  #lastSentAt = 0
  #isClosed = false

  constructor(options: LiveEventsOptions) {
    this.#options = options
    this.#tracker = new ChangeTracker(options.rowKeys)
  }

  get clients(): number {
    return this.#clients.size
  }

  /** Takes over the response, which has no head yet. @returns false when there is no room for another page. */
  connect(response: ServerResponse): boolean {
    if (this.#isClosed || this.#clients.size >= MAX_CLIENTS) return false
    // Pages that are open get what changed up to now, so that all of them continue from the same state.
    const document = this.#update()
    const client = new EventClient(response, this.#options.clock, () => this.#snapshot())
    this.#clients.add(client)
    response.once('close', () => this.#remove(client))
    client.start(this.#format('snapshot', document))
    if (this.#clients.size === 1) this.#startTicking()
    return true
  }

  close(): void {
    this.#isClosed = true
    this.#ticking.abort()
    for (const client of this.#clients) client.end()
    this.#clients.clear()
  }

  #startTicking(): void {
    const { clock, log } = this.#options
    this.#ticking = new AbortController()
    this.#lastSentAt = clock.monotonic()
    void every(
      clock,
      UPDATE_MS,
      this.#ticking.signal,
      async () => this.#tick(),
      (error) => log.warn({ event: 'page-update-failed', err: error }, 'could not update the live page'),
    )
  }

  #tick(): void {
    this.#update()
    const { clock } = this.#options
    if (clock.monotonic() - this.#lastSentAt >= HEARTBEAT_MS) this.#broadcast('event: alive\ndata:\n\n')
    for (const client of this.#clients) if (client.isStuck()) client.drop()
  }

  /** Sends what changed. @returns the document it was compared with. */
  #update(): LiveDocument {
    const document = this.#options.read()
    const change = this.#tracker.update(document)
    if (change && this.#clients.size > 0) this.#broadcast(this.#format('change', change))
    return document
  }

  #broadcast(text: string): void {
    this.#lastSentAt = this.#options.clock.monotonic()
    for (const client of this.#clients) client.send(text)
  }

  /** For a client that missed changes: it continues from here like the others. */
  #snapshot(): string {
    return this.#format('snapshot', this.#update())
  }

  #format(event: 'snapshot' | 'change', data: unknown): string {
    this.#sent++
    return `event: ${event}\nid: ${this.#sent}\ndata: ${maskPasswords(JSON.stringify(data))}\n\n`
  }

  #remove(client: EventClient): void {
    this.#clients.delete(client)
    if (this.#clients.size > 0) return
    this.#ticking.abort()
    this.#tracker = new ChangeTracker(this.#options.rowKeys)
  }
}
