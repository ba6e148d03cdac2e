/** Mixes two 32-bit integers into one (murmur3 finaliser); every pseudo-random choice builds on it. */
export function mixHash(left: number, right: number): number {
  let mixed = Math.imul(left ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(right + 0x7f4a7c15, 0xc2b2ae35)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** A hash as a fraction in [0, 1). */
export function fractionOf(hash: number): number {
  return (hash >>> 0) / 0x1_0000_0000
}

/** Hash of a text, for seeds derived from names. */
export function hashText(text: string): number {
  let hash = text.length
  for (const byte of new TextEncoder().encode(text)) hash = mixHash(hash, byte)
  return hash
}

/** A deterministic stream of fractions in [0, 1), with 32 bits each. */
export type RandomSource = () => number

/** Every seed up to 2^53, negative ones included, has its own stream. */
export function startRandom(seed: number): RandomSource {
  const low = seed >>> 0
  const high = Math.floor(seed / 0x1_0000_0000) >>> 0
  let state = mixHash(low, high)
  let turn = 0
  return () => {
    turn += 1
    state = mixHash(state, turn)
    return fractionOf(state)
  }
}
