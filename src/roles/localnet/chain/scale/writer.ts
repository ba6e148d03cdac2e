/** Growing buffer of little-endian SCALE bytes. */
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

  /** Unsigned integer of `size` bytes; the caller has checked the range. */
  unsigned(value: number | bigint, size: number): void {
    let rest = BigInt(value)
    for (let index = 0; index < size; index++) {
      this.byte(Number(rest & 255n))
      rest >>= 8n
    }
  }

  compact(value: number | bigint): void {
    const wide = BigInt(value)
    if (wide < 0n) throw new RangeError(`${value} is negative`)
    if (wide < 64n) this.byte(Number(wide) << 2)
    else if (wide < 16_384n) this.unsigned((wide << 2n) | 1n, 2)
    else if (wide < 1_073_741_824n) this.unsigned((wide << 2n) | 2n, 4)
    else this.#bigCompact(wide)
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length)
  }

  #bigCompact(value: bigint): void {
    let size = 4
    while (value >> BigInt(size * 8) > 0n) size++
    this.byte(((size - 4) << 2) | 3)
    this.unsigned(value, size)
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#buffer.length) return
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, needed))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}
