import type { ServerResponse } from 'node:http'
import type { Clock } from '../kernel/index.js'

/** A page that has taken nothing for so long is gone or asleep; the browser connects again by itself. */
export const STUCK_MS = 30_000
/** How long a browser waits before it connects again. */
const RETRY_MS = 2000

/**
 * One open page. While it reads slower than events come, at most one event waits for it: later ones are left out, and a
 * snapshot brings it up to date once it has read that one.
 */
export class EventClient {
  readonly #response: ServerResponse
  readonly #clock: Clock
  readonly #snapshot: () => string
  /** When it stopped taking bytes; undefined while it reads along. */
  #behindSince: number | undefined
  #hasMissed = false

  constructor(response: ServerResponse, clock: Clock, snapshot: () => string) {
    this.#response = response
    this.#clock = clock
    this.#snapshot = snapshot
  }

  start(text: string): void {
    const response = this.#response
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would keep events back
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    })
    response.on('drain', () => this.#catchUp())
    // A write to a page that has left fails; its `close` follows.
    response.on('error', () => {})
    this.#write(`retry: ${RETRY_MS}\n${text}`)
  }

  send(text: string): void {
    if (this.#behindSince === undefined) this.#write(text)
    else this.#hasMissed = true
  }

  isStuck(): boolean {
    return this.#behindSince !== undefined && this.#clock.monotonic() - this.#behindSince >= STUCK_MS
  }

  /** Ends the connection at once, with what it has not read. */
  drop(): void {
    this.#response.destroy()
  }

  end(): void {
    this.#response.end()
  }

  #catchUp(): void {
    this.#behindSince = undefined
    if (!this.#hasMissed) return
    this.#hasMissed = false
    this.#write(this.#snapshot())
  }

  #write(text: string): void {
    if (!this.#response.write(text)) this.#behindSince ??= this.#clock.monotonic()
  }
}
