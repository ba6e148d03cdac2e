/** A value that does not match its type: missing or excess bytes, or an unknown variant. */
export class ScaleError extends Error {
  override readonly name = 'ScaleError'
}

/** Reads SCALE-encoded values one after the other. */
export class ScaleReader {
  #offset = 0
  readonly #view: DataView

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.bytes.length - this.#offset
  }

  #step(length: number): number {
    const at = this.#offset
    if (length > this.bytes.length - at) throw new ScaleError('unexpected end of the value')
    this.#offset = at + length
    return at
  }

  take(length: number): Uint8Array {
    const at = this.#step(length)
    return this.bytes.subarray(at, at + length)
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1))
  }

  i8(): number {
    return this.#view.getInt8(this.#step(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#step(2), true)
  }

  i16(): number {
    return this.#view.getInt16(this.#step(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), true)
  }

  i32(): number {
    return this.#view.getInt32(this.#step(4), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true)
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#step(8), true)
  }

  u128(): bigint {
    return this.u64() | (this.u64() << 64n)
  }

  i128(): bigint {
    return BigInt.asIntN(128, this.u128())
  }

  u256(): bigint {
    return this.u128() | (this.u128() << 128n)
  }

  bool(): boolean {
    const byte = this.u8()
    if (byte > 1) throw new ScaleError('a bool must be 0 or 1')
    return byte === 1
  }

  compact(): bigint | number {
    const first = this.u8()
    const mode = first & 3
    if (mode === 0) return first >> 2
    if (mode === 1) return (first >> 2) | (this.u8() << 6)
    if (mode === 2) return (first >> 2) + (this.u8() | (this.u16() << 8)) * 64
    const bytes = this.take((first >> 2) + 4)
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
  }

  /** Length of a collection, checked against the remaining bytes before anything is allocated. */
  length(): number {
    const length = Number(this.compact())
    if (length > this.remaining)
      throw new ScaleError('a collection declares more elements than there are bytes')
    return length
  }
}
