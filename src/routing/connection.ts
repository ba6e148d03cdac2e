import { connect as connectPlainly, isIP, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { ChunkedBody } from './chunked-body.js'
import { roomFor } from './outbox.js'
import { type ResponseHead, readResponseHead } from './response-head.js'

/** Hears an answer as it comes: one head, bytes, then an end; or an error at any point, after which nothing comes. */
export interface ResponseReader {
  onHead(head: ResponseHead): void
  /**
   * @param bytes good during the call only: the next read overwrites them.
   * @param isLast the end follows in the same turn.
   */
  onBytes(bytes: Buffer, isLast: boolean): void
  onEnd(): void
  onError(error: Error): void
}

const MAX_HEAD_BYTES = 16 << 10

const MAX_COPIED_BYTES = 64 << 10

const END_OF_HEAD = '\r\n\r\n'

/** Every read of every plain connection lands here and is worked off before the next: no buffer per stream, no garbage. */
const inbox = Buffer.allocUnsafeSlow(64 << 10)

/** One connection to a model server: HTTP/1.1, one request at a time, bytes handed on as they come. */
export class Connection {
  readonly #socket: Socket
  readonly #onFree: (connection: Connection) => void
  #isOpen = false
  #reader: ResponseReader | undefined
  #headText = ''
  #head: ResponseHead | undefined
  #chunked = new ChunkedBody()
  /** Bytes of a body of known length still to come. */
  #left = 0

  /**
   * @param origin `http:` or `https:`.
   * @param onFree told when the connection can take the next request.
   */
  constructor(
    origin: URL,
    onFree: (connection: Connection) => void,
    onGone: (connection: Connection) => void,
  ) {
    this.#onFree = onFree
    const isSecure = origin.protocol === 'https:'
    const host = origin.hostname.replace(/^\[|\]$/g, '')
    const port = Number(origin.port || (isSecure ? 443 : 80))
    this.#socket = isSecure
      ? connectSecurely({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) }).on(
          'data',
          (bytes) => this.#take(bytes),
        )
      : connectPlainly({
          host,
          port,
          onread: { buffer: inbox, callback: (count) => this.#take(inbox.subarray(0, count)) },
        })
    this.#socket
      .setNoDelay(true)
      .once(isSecure ? 'secureConnect' : 'connect', () => {
        this.#isOpen = true
      })
      .on('error', (error) => this.#fail(error))
      .on('end', () => this.#endOfStream())
      .on('close', () => {
        this.#fail(new Error('the connection was closed'))
        onGone(this)
      })
  }

  /** The server has taken the connection. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** How long the server keeps it open while idle, if it said so. */
  get keptMs(): number | undefined {
    return this.#head?.keptMs
  }

  /** Sends a request; the reader hears the answer. Only for a connection that is new or free. */
  send(head: string, body: Buffer, reader: ResponseReader): void {
    this.#reader = reader
    this.#headText = ''
    this.#head = undefined
    // One write where copying the body is cheaper than a second one.
    if (body.length <= MAX_COPIED_BYTES) {
      const request = roomFor(this.#socket, head.length + body.length)
      request.write(head, 'latin1')
      body.copy(request, head.length)
      this.#socket.write(request)
    } else {
      this.#socket.write(head, 'latin1')
      this.#socket.write(body)
    }
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Gives the request under way up: its reader hears nothing more, the connection is gone. */
  destroy(): void {
    this.#reader = undefined
    this.#socket.destroy()
  }

  /** @returns whether to go on reading; `pause` and `destroy` see to that themselves. */
  #take(bytes: Buffer): true {
    try {
      const rest = this.#head === undefined ? this.#takeHead(bytes) : bytes
      if (rest !== undefined && this.#reader !== undefined) this.#takeBody(rest)
      // Bytes nobody asked for: whatever they are, they must not become the answer to the next request.
      else if (this.#reader === undefined) this.#socket.destroy()
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
    return true
  }

  /** @returns what comes after the head; undefined when it is not whole yet. */
  #takeHead(bytes: Buffer): Buffer | undefined {
    const before = this.#headText.length
    const found = bytes.indexOf(END_OF_HEAD, 0, 'latin1')
    const after = found < 0 ? bytes.length : found + END_OF_HEAD.length
    this.#headText += bytes.toString('latin1', 0, Math.min(after, MAX_HEAD_BYTES))
    const end = this.#headText.indexOf(END_OF_HEAD, Math.max(0, before - END_OF_HEAD.length + 1))
    if (end < 0 && this.#headText.length < MAX_HEAD_BYTES) return undefined
    const head = end < 0 ? undefined : readResponseHead(this.#headText.slice(0, end))
    if (head === undefined) throw new Error('the head of its answer cannot be read')
    const rest = bytes.subarray(end + END_OF_HEAD.length - before)
    this.#headText = ''
    if (head.status < 200) return rest.length === 0 ? undefined : this.#takeHead(rest)
    this.#head = head
    if (head.body.kind === 'length') this.#left = head.body.bytes
    if (head.body.kind === 'chunked') this.#chunked = new ChunkedBody()
    this.#reader?.onHead(head)
    return rest
  }

  #takeBody(bytes: Buffer): void {
    const kind = this.#head?.body.kind
    if (kind === 'chunked') {
      const { payload, surplus } = this.#chunked.unframe(bytes)
      const { isDone } = this.#chunked
      if (payload.length > 0) this.#reader?.onBytes(payload, isDone)
      if (isDone) this.#finish(surplus)
    } else if (kind === 'length') {
      const payload = bytes.subarray(0, this.#left)
      this.#left -= payload.length
      if (payload.length > 0) this.#reader?.onBytes(payload, this.#left === 0)
      if (this.#left === 0) this.#finish(bytes.length - payload.length)
    } else if (kind === 'until-close') {
      if (bytes.length > 0) this.#reader?.onBytes(bytes, false)
    } else this.#finish(bytes.length)
  }

  #finish(surplus: number): void {
    const reader = this.#reader
    if (reader === undefined) return
    this.#reader = undefined
    const isReusable = this.#head?.isKept === true && surplus === 0 && this.#socket.writableLength === 0
    if (!isReusable) this.#socket.destroy()
    reader.onEnd()
    if (!isReusable) return
    this.#socket.resume()
    this.#onFree(this)
  }

  #endOfStream(): void {
    if (this.#head?.body.kind === 'until-close') this.#finish(0)
    else this.#fail(new Error('the server closed the connection'))
    this.#socket.destroy()
  }

  #fail(error: Error): void {
    const reader = this.#reader
    this.#reader = undefined
    this.#socket.destroy()
    reader?.onError(error)
  }
}
