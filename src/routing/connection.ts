import { connect as connectPlainly, isIP, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { ChunkedBody } from './chunked-body.js'
import { writeBuffer } from './outbox.js'
import { type ResponseHead, readResponseHead } from './response-head.js'

/** Receives a response: one head, bytes, one end; or an error at any point, after which there are no more calls. */
export interface ResponseReader {
  onHead(head: ResponseHead): void
  /**
   * @param bytes valid during the call only: the next read overwrites them.
   * @param isLast `onEnd` follows in the same turn of the event loop.
   */
  onBytes(bytes: Buffer, isLast: boolean): void
  onEnd(): void
  onError(error: Error): void
}

const MAX_HEAD_BYTES = 16 << 10

/** Up to this size, copying the body into the head's write is cheaper than a second write. */
const MAX_COPIED_BYTES = 64 << 10

const END_OF_HEAD = '\r\n\r\n'

/** Shared by all plain connections: a read is processed before the next one, so no stream needs a buffer of its own. */
const inbox = Buffer.allocUnsafeSlow(64 << 10)

/** One HTTP/1.1 connection to a model server: one request at a time, bytes passed on as they arrive. */
export class Connection {
  readonly #socket: Socket
  readonly #onFree: (connection: Connection) => void
  #isOpen = false
  #reader: ResponseReader | undefined
  #headText = ''
  #head: ResponseHead | undefined
  #chunked = new ChunkedBody()
  /** Bytes of a body of known length not received yet. */
  #left = 0

  /**
   * @param origin `http:` or `https:`.
   * @param onFree called when the connection can take the next request.
   */
  constructor(
    origin: URL,
    onFree: (connection: Connection) => void,
    onClosed: (connection: Connection) => void,
  ) {
    this.#onFree = onFree
    const isSecure = origin.protocol === 'https:'
    const host = origin.hostname.replace(/^\[|\]$/g, '')
    const port = Number(origin.port || (isSecure ? 443 : 80))
    this.#socket = isSecure
      ? connectSecurely({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}) }).on(
          'data',
          (bytes) => this.#receive(bytes),
        )
      : connectPlainly({
          host,
          port,
          onread: { buffer: inbox, callback: (count) => this.#receive(inbox.subarray(0, count)) },
        })
    this.#socket
      .setNoDelay(true)
      .once(isSecure ? 'secureConnect' : 'connect', () => {
        this.#isOpen = true
      })
      .on('error', (error) => this.#fail(error))
      .on('end', () => this.#onSocketEnd())
      .on('close', () => {
        this.#fail(new Error('the connection closed'))
        onClosed(this)
      })
  }

  /** The server has accepted the connection. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** How long the server keeps it open while idle, if it says so. */
  get idleTimeoutMs(): number | undefined {
    return this.#head?.idleTimeoutMs
  }

  /** Sends a request whose response goes to the reader. Only for a connection that is new or free. */
  send(head: string, body: Buffer, reader: ResponseReader): void {
    this.#reader = reader
    this.#headText = ''
    this.#head = undefined
    if (body.length <= MAX_COPIED_BYTES) {
      const request = writeBuffer(this.#socket, head.length + body.length)
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

  /** Aborts the current request without another call to its reader, and closes the connection. */
  destroy(): void {
    this.#reader = undefined
    this.#socket.destroy()
  }

  /** @returns true to continue reading; `pause` and `destroy` stop the socket themselves. */
  #receive(bytes: Buffer): true {
    try {
      const rest = this.#head === undefined ? this.#readHead(bytes) : bytes
      if (rest !== undefined && this.#reader !== undefined) this.#readBody(rest)
      // Unsolicited bytes must not become the response to the next request.
      else if (this.#reader === undefined) this.#socket.destroy()
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
    return true
  }

  /** @returns the bytes after the head; undefined while the head is incomplete. */
  #readHead(bytes: Buffer): Buffer | undefined {
    const before = this.#headText.length
    const found = bytes.indexOf(END_OF_HEAD, 0, 'latin1')
    const after = found < 0 ? bytes.length : found + END_OF_HEAD.length
    this.#headText += bytes.toString('latin1', 0, Math.min(after, MAX_HEAD_BYTES))
    const end = this.#headText.indexOf(END_OF_HEAD, Math.max(0, before - END_OF_HEAD.length + 1))
    if (end < 0 && this.#headText.length < MAX_HEAD_BYTES) return undefined
    const head = end < 0 ? undefined : readResponseHead(this.#headText.slice(0, end))
    if (head === undefined) throw new Error('malformed response head')
    const rest = bytes.subarray(end + END_OF_HEAD.length - before)
    this.#headText = ''
    if (head.status < 200) return rest.length === 0 ? undefined : this.#readHead(rest)
    this.#head = head
    if (head.body.kind === 'length') this.#left = head.body.bytes
    if (head.body.kind === 'chunked') this.#chunked = new ChunkedBody()
    this.#reader?.onHead(head)
    return rest
  }

  #readBody(bytes: Buffer): void {
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
    const isReusable = this.#head?.isReusable === true && surplus === 0 && this.#socket.writableLength === 0
    if (!isReusable) this.#socket.destroy()
    reader.onEnd()
    if (!isReusable) return
    this.#socket.resume()
    this.#onFree(this)
  }

  #onSocketEnd(): void {
    if (this.#head?.body.kind === 'until-close') this.#finish(0)
    else this.#fail(new Error('the server closed the connection before the response ended'))
    this.#socket.destroy()
  }

  #fail(error: Error): void {
    const reader = this.#reader
    this.#reader = undefined
    this.#socket.destroy()
    reader?.onError(error)
  }
}
