/** Growable buffer of SCALE bytes, little-endian. */
export class Writer {
  #buffer: Uint8Array
  #length = 0

  constructor(capacity = 128) {
    this.#buffer = new Uint8Array(capacity)
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  /** Unsigned integer of up to 4 bytes; the caller checks its range. */
  uint(value: number, size: number): void {
    this.#reserve(size)
    let rest = value
    for (let index = 0; index < size; index++) {
      this.#buffer[this.#length++] = rest & 0xff
      rest >>>= 8
    }
  }

  /** Unsigned integer of `size` bytes; the caller checks its range. */
  bigUint(value: bigint, size: number): void {
    let rest = value
    let left = size
    for (; left > 4; left -= 4) {
      this.uint(Number(rest & 0xffff_ffffn), 4)
      rest >>= 32n
    }
    this.uint(Number(rest), left)
  }

  compact(value: number | bigint): void {
    if (value < 0) throw new RangeError(`${value} is negative`)
    if (value >= 1_073_741_824) this.#bigIntegerMode(BigInt(value))
    else if (value < 64) this.byte(Number(value) << 2)
    else if (value < 16_384) this.uint((Number(value) << 2) | 1, 2)
    else this.uint(((Number(value) << 2) | 2) >>> 0, 4)
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length)
  }

  #bigIntegerMode(value: bigint): void {
    let size = 4
    while (value >> BigInt(size * 8) > 0n) size++
    this.byte(((size - 4) << 2) | 3)
    this.bigUint(value, size)
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#buffer.length) return
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, needed))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}
