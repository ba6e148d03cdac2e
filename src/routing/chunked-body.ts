import { isFraming, readHeaderLine } from './response-head.js'

type State =
  | 'size'
  | 'extension-start'
  | 'extension'
  | 'extension-value'
  | 'size-end'
  | 'data'
  | 'data-end'
  | 'gap-end'
  | 'line'
  | 'trailer'
  | 'trailer-end'
  | 'last'
  | 'done'

/** Hex digits of a chunk size: no server sends chunks of 256 MiB. */
const MAX_DIGITS = 7

/** Bytes of extensions and trailers in one response; they are discarded. */
const MAX_EXTRA_BYTES = 16 << 10

const [LF, CR, SEMICOLON, EQUALS] = [0x0a, 0x0d, 0x3b, 0x3d]

const TOKEN = /^[!#$%&'*+.^_`|~\w-]$/

/** Decodes a chunked body (RFC 9112 §7.1) incrementally, wherever the network splits it. */
export class ChunkedBody {
  #state: State = 'size'
  /** Bytes of the current chunk not received yet. */
  #left = 0
  /** Digits of its size read so far. */
  #digits = 0
  #extraBytes = 0
  /** The trailer received so far. */
  #trailer = ''

  /** The last chunk and its trailers have been received. */
  get isDone(): boolean {
    return this.#state === 'done'
  }

  /**
   * @param bytes overwritten: the payload is compacted in place.
   * @returns the payload, and how many bytes followed the end of the body.
   * @throws Error when the framing is malformed.
   */
  unframe(bytes: Buffer): { readonly payload: Buffer; readonly surplus: number } {
    let at = 0
    let from = 0
    let to = 0
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state !== 'data') {
        this.#state = this.#next(bytes[at++] ?? 0)
        continue
      }
      const end = Math.min(at + this.#left, bytes.length)
      if (from === to) from = at
      else bytes.copyWithin(to, at, end)
      to = from === at ? end : to + end - at
      this.#left -= end - at
      if (this.#left === 0) this.#state = 'data-end'
      at = end
    }
    return { payload: bytes.subarray(from, to), surplus: bytes.length - at }
  }

  #next(byte: number): State {
    switch (this.#state) {
      case 'size':
        return this.#afterSize(byte)
      case 'extension-start':
      case 'extension':
      case 'extension-value':
        return this.#afterExtension(this.#state, byte)
      case 'size-end':
        this.#digits = 0
        return expectByte(LF, byte, this.#left === 0 ? 'line' : 'data')
      case 'data-end':
        return expectByte(CR, byte, 'gap-end')
      case 'gap-end':
        return expectByte(LF, byte, 'size')
      case 'line':
        return byte === CR ? 'last' : this.#addToTrailer(byte)
      case 'trailer':
        return byte === CR ? this.#skip('trailer-end') : this.#addToTrailer(byte)
      case 'trailer-end':
        return expectByte(LF, byte, this.#endTrailer())
      case 'last':
        return expectByte(LF, byte, 'done')
      case 'data':
      case 'done':
        return this.#state
    }
  }

  #afterSize(byte: number): State {
    const digit = hexDigit(byte)
    if (digit >= 0 && this.#digits < MAX_DIGITS) {
      this.#left = this.#left * 16 + digit
      this.#digits++
      return 'size'
    }
    if (this.#digits === 0) throw new Error('malformed chunked body: missing chunk size')
    if (byte === CR) return 'size-end'
    if (byte === SEMICOLON) return 'extension-start'
    throw new Error('malformed chunked body: invalid chunk size')
  }

  /** Reads names and unquoted values of extensions, which are ignored. */
  #afterExtension(state: State, byte: number): State {
    if (byte === CR && state !== 'extension-start') return 'size-end'
    if (byte === SEMICOLON) return this.#skip('extension-start')
    if (byte === EQUALS && state === 'extension') return this.#skip('extension-value')
    if (!TOKEN.test(String.fromCharCode(byte)))
      throw new Error('malformed chunked body: invalid chunk extension')
    return this.#skip(state === 'extension-value' ? state : 'extension')
  }

  #addToTrailer(byte: number): State {
    this.#trailer += String.fromCharCode(byte)
    return this.#skip('trailer')
  }

  #endTrailer(): State {
    const trailer = readHeaderLine(this.#trailer)
    if (trailer === undefined || isFraming(trailer.name))
      throw new Error('malformed chunked body: invalid trailer')
    this.#trailer = ''
    return this.#skip('line')
  }

  #skip(next: State): State {
    if (++this.#extraBytes > MAX_EXTRA_BYTES)
      throw new Error('malformed chunked body: extensions or trailers too long')
    return next
  }
}

function expectByte(expected: number, byte: number, next: State): State {
  if (byte !== expected) throw new Error('malformed chunked body: expected CRLF')
  return next
}

/** Value of a hexadecimal digit, -1 for anything else. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
