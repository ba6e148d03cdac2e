/** Cursor over SCALE bytes. Reads throw past the end and for compact integers that are not in their shortest form. */
export class Reader {
  readonly #bytes: Uint8Array
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  byte(): number {
    const value = this.#bytes[this.#offset]
    if (value === undefined) throw new Error('Not enough data to fill buffer')
    this.#offset++
    return value
  }

  bytes(count: number): Uint8Array {
    if (count > this.remaining) throw new Error('Not enough data to fill buffer')
    const slice = this.#bytes.slice(this.#offset, this.#offset + count)
    this.#offset += count
    return slice
  }

  /** Unsigned integer of up to 4 bytes. */
  uint(size: number): number {
    if (size > this.remaining) throw new Error('Not enough data to fill buffer')
    let value = 0
    for (let index = size - 1; index >= 0; index--) {
      value = value * 256 + (this.#bytes[this.#offset + index] ?? 0)
    }
    this.#offset += size
    return value
  }

  bigUint(size: number): bigint {
    let value = 0n
    let shift = 0n
    for (let left = size; left > 0; left -= 4) {
      value |= BigInt(this.uint(Math.min(left, 4))) << shift
      shift += 32n
    }
    return value
  }

  compact(): bigint {
    const first = this.byte()
    const mode = first & 3
    if (mode === 0) return BigInt(first >> 2)
    if (mode === 3) return this.#bigIntegerMode((first >> 2) + 4)
    this.#offset--
    const size = mode === 1 ? 2 : 4
    const value = this.uint(size) >>> 2
    if (value < (size === 2 ? 64 : 16_384)) throw new Error('out of range')
    return BigInt(value)
  }

  /** Length prefix of a sequence. @throws Error above u32 */
  length(): number {
    const count = this.compact()
    if (count > 0xffff_ffffn) throw new Error('out of range')
    return Number(count)
  }

  /** @throws Error when bytes remain */
  expectEnd(): void {
    if (this.remaining !== 0) throw new Error(`${this.remaining} trailing bytes`)
  }

  #bigIntegerMode(size: number): bigint {
    const value = this.bigUint(size)
    const shortest = value >> BigInt((size - 1) * 8) > 0n
    if (!shortest || value < 1_073_741_824n) throw new Error('out of range')
    return value
  }
}
