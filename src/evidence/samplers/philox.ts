const ROUNDS = 10

/**
 * The first two words of Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) for a 64-bit
 * key and a counter whose other words are 0, as Triton's `tl.randint4x` computes them.
 *
 * @param words receives both words
 */
export function philox(keyLow: number, keyHigh: number, counter: number, words: Uint32Array): void {
  let [c0, c1, c2, c3] = [counter | 0, 0, 0, 0]
  let [k0, k1] = [keyLow | 0, keyHigh | 0]
  for (let round = 0; round < ROUNDS; round++) {
    const first = highProduct(0xcd9e8d57, c2) ^ c1 ^ k0
    const third = highProduct(0xd2511f53, c0) ^ c3 ^ k1
    c1 = Math.imul(0xcd9e8d57, c2)
    c3 = Math.imul(0xd2511f53, c0)
    c0 = first
    c2 = third
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  words[0] = c0
  words[1] = c1
}

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
function highProduct(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carried = aLow * bHigh + (middle & 0xffff)
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + (carried >>> 16)) | 0
}
