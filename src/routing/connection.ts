import { connect as connectPlainly, isIP, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { writeBuffer } from './outbox.js'
import { ResponseParser, type ResponseReader } from './response-parser.js'

/** Up to this size, copying the body into the head's write is cheaper than a second write. */
const MAX_COPIED_BYTES = 64 << 10

/** Shared by all plain connections: a read is processed before the next one, so no stream needs a buffer of its own. */
const inbox = Buffer.allocUnsafeSlow(64 << 10)

/** One HTTP/1.1 connection to a model server: one request at a time, bytes passed on as they arrive. */
export class Connection {
  readonly #socket: Socket
  readonly #onFree: (connection: Connection) => void
  #isOpen = false
  #reader: ResponseReader | undefined
  #parser: ResponseParser | undefined

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
    return this.#parser?.idleTimeoutMs
  }

  /** Sends a request whose response goes to the reader. Only for a connection that is new or free. */
  send(head: string, body: Buffer, reader: ResponseReader): void {
    this.#reader = reader
    this.#parser = new ResponseParser(reader)
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
    this.#parser?.stop()
    this.#socket.destroy()
  }

  /** @returns true to continue reading; `pause` and `destroy` stop the socket themselves. */
  #receive(bytes: Buffer): true {
    // Unsolicited bytes must not become the response to the next request.
    if (this.#reader === undefined) this.#socket.destroy()
    else
      try {
        if (this.#parser?.receive(bytes)) this.#finish()
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)))
      }
    return true
  }

  #finish(): void {
    const reader = this.#reader
    if (reader === undefined) return
    this.#reader = undefined
    const isReusable = this.#parser?.isReusable === true && this.#socket.writableLength === 0
    if (!isReusable) this.#socket.destroy()
    reader.onEnd()
    if (!isReusable) return
    this.#socket.resume()
    this.#onFree(this)
  }

  #onSocketEnd(): void {
    try {
      this.#parser?.end()
      this.#finish()
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)))
    }
    this.#socket.destroy()
  }

  #fail(error: Error): void {
    const reader = this.#reader
    this.#reader = undefined
    this.#socket.destroy()
    reader?.onError(error)
  }
}
