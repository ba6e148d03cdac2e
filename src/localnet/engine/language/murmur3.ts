const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

/**
 * MurmurHash3 x86 32 with hash seed 0 of the little-endian words of seed, position and id: the hash of vLLM's sampler
 * (vllm/v1/worker/gpu/sample/gumbel.py, 0.31 and 0.32).
 */
export function murmur3(words: readonly number[]): number {
  let hash = 0
  for (const word of words) {
    hash ^= Math.imul(rotate(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593)
    hash = Math.imul(rotate(hash, 13), 5) + 0xe6546b64
  }
  hash ^= 4 * words.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
