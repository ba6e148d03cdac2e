import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Clock, messageOf } from '../kernel/index.js'
import type { Connection, ResponseReader } from './connection.js'
import type { Timed } from './deadlines.js'
import { roomFor } from './outbox.js'
import type { ResponseHead } from './response-head.js'
import type { RoutingLimits } from './types.js'

/** How one attempt at one upstream ended. After `retry` nothing has been sent to the caller. */
export type RelayEnd =
  | { readonly kind: 'done'; readonly status: number; readonly bytes: number; readonly firstByteMs: number }
  | {
      readonly kind: 'retry'
      readonly reason: string
      readonly cause: 'answer' | 'busy' | 'connection' | 'timeout'
      /** Of the answer, when there was one. */
      readonly status?: number
    }
  | { readonly kind: 'broken'; readonly reason: string; readonly bytes: number }
  | { readonly kind: 'caller-gone'; readonly reason: string; readonly bytes: number }

const NEW_LINE = Buffer.from('\r\n')
const LAST_CHUNK = '0\r\n\r\n'

export interface RelayOptions {
  readonly clock: Clock
  readonly limits: RoutingLimits
  readonly response: ServerResponse
  readonly isStreamed: boolean
  /** Monotonic milliseconds from which the answer as a whole is timed: attempts before this one count. */
  readonly requestedAt: number
  /** True when this answer is not to be passed on, since another upstream could still answer instead. */
  readonly mayLeave: (status: number) => boolean
  readonly onEnd: (end: RelayEnd) => void
}

/**
 * Bytes from an upstream to a caller as they come: status, type and timing of chunks kept, nothing parsed. Holds the head
 * back until the first byte of the body, so that another upstream may still answer up to then.
 */
export class Relay implements ResponseReader, Timed {
  readonly #options: RelayOptions
  readonly #startedAt: number
  #lastByteAt: number
  /** Since when the caller takes nothing more. */
  #blockedAt: number | undefined
  #firstByteMs = -1
  #bytes = 0
  #head: ResponseHead | undefined
  /** The caller gets chunks, framed here. */
  #isChunked = false
  #connection: Connection | undefined
  #isOver = false

  constructor(options: RelayOptions) {
    this.#options = options
    this.#startedAt = options.clock.monotonic()
    this.#lastByteAt = this.#startedAt
    options.response.on('drain', this.#onDrain).on('close', this.#onClose)
  }

  /** The request is on its way on this connection. */
  follow(connection: Connection): void {
    if (this.#isOver) connection.destroy()
    else this.#connection = connection
  }

  onHead(head: ResponseHead): void {
    const unfit = unfitReason(head.status)
    if (unfit !== undefined && (unfit.always || this.#options.mayLeave(head.status))) {
      const cause = head.status === 429 ? 'busy' : 'answer'
      this.#finish({ kind: 'retry', reason: unfit.reason, cause, status: head.status })
    } else this.#head = head
  }

  onBytes(bytes: Buffer, isLast: boolean): void {
    this.#lastByteAt = this.#options.clock.monotonic()
    this.#sendHead()
    this.#bytes += bytes.length
    const { response } = this.#options
    const { socket } = response
    // Head and bytes leave in one write, now: Node would do it in the next tick, and the shared room must be free by then.
    socket?.cork()
    const isTaken = response.write(this.#frame(bytes, socket))
    // The end that follows goes along.
    if (isLast) return
    socket?.uncork()
    if (isTaken || socket?.writableLength === 0) return
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
    if (this.#firstByteMs < 0) this.#finish({ kind: 'retry', reason, cause: 'connection' })
    else this.#break(reason)
  }

  check(nowMs: number): void {
    const { limits, isStreamed, requestedAt } = this.#options
    const sinceStart = nowMs - this.#startedAt
    if (nowMs - requestedAt >= limits.totalTimeoutMs) this.#expire('the answer took too long as a whole')
    else if (this.#blockedAt !== undefined) {
      if (nowMs - this.#blockedAt >= limits.readerTimeoutMs) this.#leave('the caller does not read')
    } else if (this.#firstByteMs >= 0) {
      if (nowMs - this.#lastByteAt >= limits.gapTimeoutMs) this.#expire('the upstream fell silent')
    } else if (isStreamed && sinceStart >= limits.firstByteTimeoutMs) {
      this.#expire('the upstream sent no first byte in time')
    } else if (this.#connection?.isOpen === false && sinceStart >= limits.connectTimeoutMs) {
      this.#expire('the upstream took no connection in time')
    }
  }

  /** Cuts the answer: the process drains and its time is up. */
  cut(): void {
    if (this.#firstByteMs < 0) this.#leave('the miner shuts down')
    else this.#break('the miner shuts down')
  }

  /** @returns the status the caller got. */
  #sendHead(): number {
    const { status, passed } = this.#head ?? NO_HEAD
    if (this.#firstByteMs >= 0) return status
    this.#firstByteMs = this.#options.clock.monotonic() - this.#startedAt
    const { response } = this.#options
    response.writeHead(status, passed)
    // Node would write size, bytes and line end of a chunk one by one; framed here they are a single write.
    this.#isChunked = response.chunkedEncoding
    response.chunkedEncoding = false
    return status
  }

  /** A copy of the bytes for the caller's connection: as a chunk, or as they are when their end is told otherwise. */
  #frame(bytes: Buffer, socket: Socket | null): Buffer {
    const size = this.#isChunked ? `${bytes.length.toString(16)}\r\n` : ''
    const end = size.length + bytes.length
    const chunk = roomFor(socket, this.#isChunked ? end + NEW_LINE.length : end)
    chunk.write(size, 'latin1')
    bytes.copy(chunk, size.length)
    if (this.#isChunked) NEW_LINE.copy(chunk, end)
    return chunk
  }

  #expire(reason: string): void {
    if (this.#firstByteMs < 0) this.#finish({ kind: 'retry', reason, cause: 'timeout' })
    else this.#break(reason)
  }

  /** The caller must see that the answer is not whole: the connection is cut, never ended well. */
  #break(reason: string): void {
    this.#finish({ kind: 'broken', reason, bytes: this.#bytes })
    this.#options.response.destroy()
  }

  #leave(reason: string): void {
    this.#finish({ kind: 'caller-gone', reason, bytes: this.#bytes })
    this.#options.response.destroy()
  }

  #finish(end: RelayEnd): void {
    if (this.#isOver) return
    this.#isOver = true
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
    this.#finish({ kind: 'caller-gone', reason: 'the caller left', bytes: this.#bytes })
  }
}

const NO_HEAD = { status: 502, passed: {} }

/** Answers another upstream may do better; `always` = never fit for the caller, for they speak of our own set-up. */
function unfitReason(status: number): { readonly reason: string; readonly always: boolean } | undefined {
  if (status >= 500 || status === 429) return { reason: `it answered ${status}`, always: false }
  if (status === 401 || status === 403) return { reason: `it refuses our key (${status})`, always: true }
  if (status >= 300 && status < 400)
    return { reason: `it answered with a redirect (${status})`, always: true }
  return undefined
}
