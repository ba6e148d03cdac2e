type State =
  | 'size'
  | 'extension'
  | 'size-end'
  | 'data'
  | 'data-end'
  | 'gap-end'
  | 'line'
  | 'trailer'
  | 'last'
  | 'done'

/** Digits of a chunk's size: 256 MiB a chunk is more than any server sends. */
const MAX_DIGITS = 7

/** Bytes of extensions and trailers in one answer; they are thrown away. */
const MAX_EXTRA_BYTES = 16 << 10

const [TAB, LF, CR, SPACE, SEMICOLON] = [0x09, 0x0a, 0x0d, 0x20, 0x3b]

/** Takes the framing off a chunked body (RFC 9112 §7.1) as its bytes come, however they are cut. */
export class ChunkedBody {
  #state: State = 'size'
  /** Bytes of the chunk still to come, and digits of its size read so far. */
  #left = 0
  #digits = 0
  #extra = 0

  /** The last chunk and its trailers are in. */
  get isDone(): boolean {
    return this.#state === 'done'
  }

  /**
   * @param bytes overwritten: their payload is moved together within.
   * @returns the payload, and how many bytes came after the end of the body.
   * @throws Error when this is no chunked body.
   */
  unframe(bytes: Buffer): { readonly payload: Buffer; readonly surplus: number } {
    let at = 0
    let from = 0
    let to = 0
    while (at < bytes.length && this.#state !== 'done') {
      if (this.#state !== 'data') {
        this.#state = this.#after(bytes[at++] ?? 0)
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

  /** The state after one byte of framing. */
  #after(byte: number): State {
    switch (this.#state) {
      case 'size':
        return this.#afterSize(byte)
      case 'extension':
        return byte === CR ? 'size-end' : this.#ignore('extension')
      case 'size-end':
        this.#digits = 0
        return only(LF, byte, this.#left === 0 ? 'line' : 'data')
      case 'data-end':
        return only(CR, byte, 'gap-end')
      case 'gap-end':
        return only(LF, byte, 'size')
      case 'line':
        return byte === CR ? 'last' : this.#ignore('trailer')
      case 'trailer':
        return this.#ignore(byte === LF ? 'line' : 'trailer')
      case 'last':
        return only(LF, byte, 'done')
      case 'data':
      case 'done':
        return this.#state
    }
  }

  #afterSize(byte: number): State {
    const digit = digitOf(byte)
    if (digit >= 0 && this.#digits < MAX_DIGITS) {
      this.#left = this.#left * 16 + digit
      this.#digits++
      return 'size'
    }
    if (this.#digits === 0) throw new Error('a chunk of its answer has no size')
    if (byte === CR) return 'size-end'
    if (byte === SEMICOLON || byte === SPACE || byte === TAB) return 'extension'
    throw new Error('a chunk of its answer has no proper size')
  }

  #ignore(next: State): State {
    if (++this.#extra > MAX_EXTRA_BYTES) throw new Error('the framing of its answer has no end')
    return next
  }
}

function only(expected: number, byte: number, next: State): State {
  if (byte !== expected) throw new Error('a chunk of its answer does not end where it said')
  return next
}

/** Value of a hexadecimal digit, -1 for anything else. */
function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
