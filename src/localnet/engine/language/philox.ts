/** Upper half of the 64-bit product of two 32-bit words; every intermediate result is an integer below 2^53. */
function upperHalf(a: number, b: number): number {
  const low = Math.floor(((a & 0xffff) * b) / 0x1_0000)
  return Math.floor(((a >>> 16) * b + low) / 0x1_0000) >>> 0
}

type Block = readonly [number, number, number, number]

/** One round of Philox4x32 (Salmon et al., 2011). */
function mixBlock([a, b, c, d]: Block, keyLow: number, keyHigh: number): Block {
  return [
    (upperHalf(0xcd9e8d57, c) ^ b ^ keyLow) >>> 0,
    Math.imul(0xcd9e8d57, c) >>> 0,
    (upperHalf(0xd2511f53, a) ^ d ^ keyHigh) >>> 0,
    Math.imul(0xd2511f53, a) >>> 0,
  ]
}

/** The first two words of Philox4x32-10 for a 64-bit key and a counter of one word, as Triton's `tl.randint4x`. */
export function philox(keyLow: number, keyHigh: number, counter: number): readonly [number, number] {
  let block: Block = [counter >>> 0, 0, 0, 0]
  for (let round = 0; round < 10; round++) {
    const low = (keyLow + Math.imul(round, 0x9e3779b9)) >>> 0
    const high = (keyHigh + Math.imul(round, 0xbb67ae85)) >>> 0
    block = mixBlock(block, low, high)
  }
  return [block[0], block[1]]
}
