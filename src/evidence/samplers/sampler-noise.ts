import type { Dialect } from '../observation.js'
import { hashPosition, hashToken } from './murmur3.js'
import { philox } from './philox.js'

/** A 64-bit seed as two unsigned 32-bit words. */
export interface SeedWords {
  readonly low: number
  readonly high: number
}

export function seedWords(seed: number | bigint): SeedWords {
  const bits = BigInt.asUintN(64, BigInt(seed))
  return { low: Number(bits & 0xffffffffn), high: Number(bits >> 32n) }
}

/** 2^-31 in single precision, as in Triton's `uint_to_uniform_float`. */
const FP32_SCALE = 4.6566127342e-10
const SMALLEST = 2 ** -64
const LARGEST = 1 - 2 ** -53
const words = new Uint32Array(2)

/** What seed and position contribute to the noise of all tokens: a 32-bit number. */
export function positionState(dialect: Dialect, seed: SeedWords, position: number): number {
  if (dialect === 'murmur3') return hashPosition(seed.low, seed.high, position)
  philox(seed.low, seed.high, position, words)
  return words[0] ?? 0
}

/** The uniform number a server of this dialect draws for a token; between 0 and 1. */
export function tokenUniform(dialect: Dialect, state: number, id: number): number {
  if (dialect === 'murmur3') return (hashToken(state, id) + 0.5) * 2 ** -32
  philox(state, 0, id, words)
  const [low = 0, high = 0] = words
  if (dialect === 'philox-64') return high * 2 ** -32 + low * 2 ** -64
  const signed = low | 0
  return Math.max((signed < 0 ? -signed - 1 : signed) * FP32_SCALE, FP32_SCALE)
}

/**
 * The Gumbel noise of a token: the server draws the token whose logit/temperature plus noise is largest. Always finite;
 * computed in double precision, while servers of the first two dialects round to single.
 */
export function tokenGumbel(dialect: Dialect, state: number, id: number): number {
  const uniform = Math.min(LARGEST, Math.max(SMALLEST, tokenUniform(dialect, state, id)))
  return -Math.log(dialect === 'philox-64' ? -Math.log(uniform) : -Math.log1p(-uniform))
}
