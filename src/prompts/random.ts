import { createHash } from 'node:crypto'

/** A deterministic stream of random numbers. */
export interface Random {
  /** 0 ≤ x < 1. */
  next(): number
  /** An integer, min ≤ x ≤ max. */
  integer(min: number, max: number): number
  /** @throws RangeError if there are no items. */
  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T
  /** An independent stream for `key`; drawing from one does not affect the other. */
  fork(key: string): Random
}

/** xoshiro128** seeded by the SHA-256 of the seed; the same on every machine. */
export function createRandom(seed: string): Random {
  const digest = createHash('sha256').update(seed).digest()
  let a = digest.readUInt32LE(0)
  let b = digest.readUInt32LE(4)
  let c = digest.readUInt32LE(8)
  let d = digest.readUInt32LE(12)
  const word = () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result
  }
  const next = () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53
  return {
    next,
    integer: (min, max) => min + Math.floor(next() * (max - min + 1)),
    pick: (items) => {
      const item = items[Math.floor(next() * items.length)]
      if (item === undefined) throw new RangeError('Cannot pick from an empty list.')
      return item
    },
    fork: (key) => createRandom(`${seed}\u0000${key}`),
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}
