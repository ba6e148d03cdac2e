import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, isDescriptorShortage, messageOf } from '../kernel/index.js'
import type { Connection } from './connection.js'
import type { Timed } from './deadlines.js'
import { writeBuffer } from './outbox.js'
import type { ResponseHead } from './response-head.js'
import type { ResponseReader } from './response-parser.js'
import type { RoutingLimits } from './settings.js'

/** How one attempt at one upstream ended. `retry`: nothing has been sent to the caller yet. */
export type RelayEnd =
  | { readonly kind: 'done'; readonly status: number; readonly bytes: number; readonly firstByteMs: number }
  | {
      readonly kind: 'retry'
      readonly reason: string
      /** `shortage`: this process could not open a connection, which says nothing about the upstream. */
      readonly cause: 'status' | 'busy' | 'connection' | 'timeout' | 'shortage'
      /** Of the upstream's response, if there was one. */
      readonly status?: number
    }
  | { readonly kind: 'broken'; readonly reason: string; readonly bytes: number }
  | { readonly kind: 'caller-left'; readonly reason: string; readonly bytes: number }

const NEW_LINE = Buffer.from('\r\n')
const LAST_CHUNK = '0\r\n\r\n'

export interface RelayOptions {
  readonly clock: Clock
  readonly limits: RoutingLimits
  readonly response: ServerResponse
  readonly isStreamed: boolean
  /** Monotonic milliseconds at which the request arrived: earlier attempts count toward the total timeout. */
  readonly requestedAt: number
  /** True when a response with this status should be withheld because another upstream can still be tried. */
  readonly mayRetry: (status: number) => boolean
  readonly onEnd: (end: RelayEnd) => void
}

/**
 * Passes a response from an upstream to a caller unparsed: status, type and timing of chunks are kept. Withholds the head
 * until the first byte of the body, so that until then another upstream can still be tried.
 */
export class Relay implements ResponseReader, Timed {
  readonly #options: RelayOptions
  readonly #startedAt: number
  #lastByteAt: number
  /** When the caller stopped reading. */
  #blockedAt: number | undefined
  #firstByteMs = -1
  #bytes = 0
  #head: ResponseHead | undefined
  /** The caller gets a chunked body, framed here. */
  #isChunked = false
  #connection: Connection | undefined
  #isDone = false

  constructor(options: RelayOptions) {
    this.#options = options
    this.#startedAt = options.clock.monotonic()
    this.#lastByteAt = this.#startedAt
    options.response.on('drain', this.#onDrain).on('close', this.#onClose)
  }

  /** Monotonic milliseconds of the last bytes from the server; undefined before the first ones. */
  get lastByteAt(): number | undefined {
    return this.#firstByteMs < 0 ? undefined : this.#lastByteAt
  }

  /** The request was sent on this connection. */
  attach(connection: Connection): void {
    if (this.#isDone) connection.destroy()
    else this.#connection = connection
  }

  onHead(head: ResponseHead): void {
    const failure = failureOf(head.status)
    if (failure !== undefined && (failure.isOurs || this.#options.mayRetry(head.status))) {
      const cause = head.status === 429 ? 'busy' : 'status'
      this.#finish({ kind: 'retry', reason: failure.reason, cause, status: head.status })
    } else this.#head = head
  }

  onBytes(bytes: Buffer, isLast: boolean): void {
    this.#lastByteAt = this.#options.clock.monotonic()
    this.#sendHead()
    this.#bytes += bytes.length
    const { response } = this.#options
    const { socket } = response
    // Write head and bytes together, now: Node would flush in the next tick, when the shared buffer may be in use again.
    socket?.cork()
    const hasRoom = response.write(this.#frame(bytes, socket))
    // `onEnd` follows and its bytes join this write.
    if (isLast) return
    socket?.uncork()
    if (hasRoom || socket?.writableLength === 0) return
    this.#blockedAt = this.#lastByteAt
    this.#connection?.pause()
  }

  onEnd(): void {
    const { response } = this.#options
    const status = this.#sendHead()
    if (this.#isChunked) response.end(LAST_CHUNK, 'latin1')
    else response.end()
    this.#finish({ kind: 'done', status, bytes: this.#bytes, firstByteMs: this.#firstByteMs })
  }

  onError(error: Error): void {
    const reason = messageOf(error)
    const cause = isDescriptorShortage(error) ? 'shortage' : 'connection'
    if (this.#firstByteMs < 0) this.#finish({ kind: 'retry', reason, cause })
    else this.#break(reason)
  }

  check(nowMs: number): void {
    const { limits, isStreamed, requestedAt } = this.#options
    const sinceStart = nowMs - this.#startedAt
    if (nowMs - requestedAt >= limits.totalTimeoutMs) this.#expire('the response exceeded the total timeout')
    else if (this.#blockedAt !== undefined) {
      if (nowMs - this.#blockedAt >= limits.readerTimeoutMs) this.#abandon('the caller stopped reading')
    } else if (this.#firstByteMs >= 0) {
      if (nowMs - this.#lastByteAt >= limits.gapTimeoutMs) this.#expire('the upstream stopped sending')
    } else if (isStreamed && sinceStart >= limits.firstByteTimeoutMs) {
      this.#expire('the upstream sent no first byte in time')
    } else if (this.#connection?.isOpen === false && sinceStart >= limits.connectTimeoutMs) {
      this.#expire('the upstream did not accept the connection in time')
    }
  }

  /** Cuts the response off: the drain timeout has passed. */
  cut(): void {
    if (this.#firstByteMs < 0) this.#abandon('the miner is shutting down')
    else this.#break('the miner is shutting down')
  }

  /** @returns the status sent to the caller. */
  #sendHead(): number {
    const { status, callerHeaders } = this.#head ?? NO_HEAD
    if (this.#firstByteMs >= 0) return status
    this.#firstByteMs = this.#options.clock.monotonic() - this.#startedAt
    const { response } = this.#options
    response.writeHead(status, callerHeaders)
    // Node would write size, bytes and line end of a chunk separately; framed here they are a single write.
    this.#isChunked = response.chunkedEncoding
    response.chunkedEncoding = false
    return status
  }

  /** A copy of the bytes for the caller's connection, framed as a chunk if the body is chunked. */
  #frame(bytes: Buffer, socket: Socket | null): Buffer {
    const size = this.#isChunked ? `${bytes.length.toString(16)}\r\n` : ''
    const end = size.length + bytes.length
    const chunk = writeBuffer(socket, this.#isChunked ? end + NEW_LINE.length : end)
    chunk.write(size, 'latin1')
    bytes.copy(chunk, size.length)
    if (this.#isChunked) NEW_LINE.copy(chunk, end)
    return chunk
  }

  #expire(reason: string): void {
    if (this.#firstByteMs < 0) this.#finish({ kind: 'retry', reason, cause: 'timeout' })
    else this.#break(reason)
  }

  /** Destroys the connection instead of ending it, so that the caller sees that the response is incomplete. */
  #break(reason: string): void {
    this.#finish({ kind: 'broken', reason, bytes: this.#bytes })
    this.#options.response.destroy()
  }

  #abandon(reason: string): void {
    this.#finish({ kind: 'caller-left', reason, bytes: this.#bytes })
    this.#options.response.destroy()
  }

  #finish(end: RelayEnd): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#options.response.off('drain', this.#onDrain).off('close', this.#onClose)
    if (end.kind !== 'done') this.#connection?.destroy()
    this.#options.onEnd(end)
  }

  readonly #onDrain = () => {
    if (this.#blockedAt === undefined) return
    this.#blockedAt = undefined
    this.#lastByteAt = this.#options.clock.monotonic()
    this.#connection?.resume()
  }

  readonly #onClose = () => {
    this.#finish({ kind: 'caller-left', reason: 'the caller disconnected', bytes: this.#bytes })
  }
}

const NO_HEAD = { status: 502, callerHeaders: {} }

/** Statuses worth trying another upstream for. `isOurs`: caused by our configuration, so never shown to the caller. */
function failureOf(status: number): { readonly reason: string; readonly isOurs: boolean } | undefined {
  if (status >= 500 || status === 429) return { reason: `returned ${status}`, isOurs: false }
  if (status === 401 || status === 403) return { reason: `refused our API key (${status})`, isOurs: true }
  if (status >= 300 && status < 400) return { reason: `returned a redirect (${status})`, isOurs: true }
  return undefined
}
