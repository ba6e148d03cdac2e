import { ChunkedBody } from './chunked-body.js'
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

const SWITCHING_PROTOCOLS = 101

const END_OF_HEAD = '\r\n\r\n'

/** Splits the bytes that follow one request into the head and body of its response, wherever the network cuts them. */
export class ResponseParser {
  #reader: Pick<ResponseReader, 'onHead' | 'onBytes'> | undefined
  #headText = ''
  #head: ResponseHead | undefined
  #chunked: ChunkedBody | undefined
  /** Bytes of a body of known length not received yet. */
  #left = 0
  #surplus = 0

  constructor(reader: Pick<ResponseReader, 'onHead' | 'onBytes'>) {
    this.#reader = reader
  }

  /** The connection may carry another request after this response. */
  get isReusable(): boolean {
    return this.#head?.isReusable === true && this.#surplus === 0
  }

  /** How long the server keeps the connection open while idle, if it says so. */
  get idleTimeoutMs(): number | undefined {
    return this.#head?.idleTimeoutMs
  }

  /** Makes no more calls to the reader. */
  stop(): void {
    this.#reader = undefined
  }

  /**
   * @param bytes overwritten.
   * @returns true when the response has ended.
   * @throws Error when it is malformed.
   */
  receive(bytes: Buffer): boolean {
    const rest = this.#head === undefined ? this.#readHeads(bytes) : bytes
    return rest !== undefined && this.#reader !== undefined && this.#readBody(rest)
  }

  /**
   * The server sends no more.
   *
   * @throws Error when the response is incomplete.
   */
  end(): void {
    if (this.#head?.body.kind !== 'until-close')
      throw new Error('the server closed the connection before the response ended')
  }

  /** Skips interim responses. @returns the bytes after the head; undefined while the head is incomplete. */
  #readHeads(bytes: Buffer): Buffer | undefined {
    let rest = bytes
    while (rest.length > 0) {
      const before = this.#headText.length
      const found = rest.indexOf(END_OF_HEAD, 0, 'latin1')
      const after = found < 0 ? rest.length : found + END_OF_HEAD.length
      this.#headText += rest.toString('latin1', 0, Math.min(after, MAX_HEAD_BYTES - before))
      const end = this.#headText.indexOf(END_OF_HEAD, Math.max(0, before - END_OF_HEAD.length + 1))
      if (end < 0 && this.#headText.length < MAX_HEAD_BYTES) return undefined
      const head = end < 0 ? undefined : readResponseHead(this.#headText.slice(0, end))
      if (head === undefined) throw new Error('malformed response head')
      rest = rest.subarray(end + END_OF_HEAD.length - before)
      this.#headText = ''
      if (head.status >= 200) {
        this.#begin(head)
        return rest
      }
      // The server closes the connection, or continues with another protocol.
      if (!head.isReusable || head.status === SWITCHING_PROTOCOLS)
        throw new Error('malformed response head: an interim response that ends the connection')
    }
    return undefined
  }

  #begin(head: ResponseHead): void {
    this.#head = head
    if (head.body.kind === 'length') this.#left = head.body.bytes
    if (head.body.kind === 'chunked') this.#chunked = new ChunkedBody()
    this.#reader?.onHead(head)
  }

  /** @returns true when the response has ended. */
  #readBody(bytes: Buffer): boolean {
    if (this.#chunked !== undefined) {
      const { payload, surplus } = this.#chunked.unframe(bytes)
      const { isDone } = this.#chunked
      if (payload.length > 0) this.#reader?.onBytes(payload, isDone)
      this.#surplus = surplus
      return isDone
    }
    const kind = this.#head?.body.kind
    if (kind === 'until-close') {
      if (bytes.length > 0) this.#reader?.onBytes(bytes, false)
      return false
    }
    const payload = bytes.subarray(0, this.#left)
    this.#left -= payload.length
    if (payload.length > 0) this.#reader?.onBytes(payload, this.#left === 0)
    this.#surplus = bytes.length - payload.length
    return this.#left === 0
  }
}
