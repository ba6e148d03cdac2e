/**
 * MurmurHash3-x86-32 of four little-endian 32-bit words with hash seed 0, as vLLM 0.31 and 0.32 draw with it
 * (vllm/v1/worker/gpu/sample/gumbel.py). The words are the seed (low, high), the position and the token id; what the
 * first three leave behind is the same for every token of a position.
 */
export function hashPosition(seedLow: number, seedHigh: number, position: number): number {
  return mixWord(mixWord(mixWord(0, seedLow), seedHigh), position)
}

/** The hash of a token, as an unsigned 32-bit number. */
export function hashToken(positionHash: number, id: number): number {
  let hash = mixWord(positionHash, id) ^ 16
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function mixWord(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51)
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}
