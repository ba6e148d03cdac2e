import { murmur3 } from './murmur3.js'
import { philox } from './philox.js'
import { startRandom } from './random.js'

/**
 * How a server draws tokens. `murmur3` (vLLM 0.31 and 0.32), `philox-fp32` (0.24 to 0.30) and `philox-64` (0.20): the noise of a
 * token is a function of seed, position and id. `generator`: a stream of random numbers, as older servers and other hardware.
 */
export const SAMPLERS = ['murmur3', 'philox-fp32', 'philox-64', 'generator'] as const
export type SamplerName = (typeof SAMPLERS)[number]

/** The Gumbel noise of every token at one position: the token with the largest logit / temperature + noise is drawn. */
export interface GumbelDraw {
  readonly gumbelOf: (id: number) => number
  /** No token has more. */
  readonly highest: number
}

/** One draw: by noise per token, or by a fraction of the cumulative probability. */
export type Draw = GumbelDraw | { readonly fraction: number }

/** @param position index of the last token fed in, from 0 */
export type Draws = (position: number) => Draw

/** The draws of one answer. Every integer up to 2^53 is a seed; negative ones in two's complement, as int64. */
export function startDraws(sampler: SamplerName, seed: number): Draws {
  const low = seed >>> 0
  const high = Math.floor(seed / 0x1_0000_0000) >>> 0
  switch (sampler) {
    case 'generator': {
      const random = startRandom(seed)
      return () => ({ fraction: random() })
    }
    case 'murmur3':
      return (position) => ({
        gumbelOf: (id) => gumbel((murmur3([low, high, position, id]) + 0.5) / 0x1_0000_0000),
        highest: 23,
      })
    case 'philox-fp32':
      return (position) => {
        const [key] = philox(low, high, position)
        return { gumbelOf: (id) => gumbel(singleUniform(philox(key, 0, id)[0])), highest: 22 }
      }
    case 'philox-64':
      return (position) => {
        const [key] = philox(low, high, position)
        return { gumbelOf: (id) => gumbelFromTop(philox(key, 0, id)), highest: 37 }
      }
  }
}

const gumbel = (uniform: number): number => -Math.log(-Math.log1p(-uniform))

/** Rounding may give 1, which a server keeps below by a single-precision step. */
const BELOW_ONE = 1 - 2 ** -24
/** Triton's `uint_to_uniform_float`: 31 bits in single precision. */
const STEP = Math.fround(4.6566127342e-10)

function singleUniform(word: number): number {
  const signed = word | 0
  const uniform = Math.fround(Math.fround(signed < 0 ? -signed - 1 : signed) * STEP)
  return Math.min(BELOW_ONE, Math.max(STEP, uniform))
}

function gumbelFromTop([low, high]: readonly [number, number]): number {
  const uniform = (high + low / 0x1_0000_0000) / 0x1_0000_0000
  return -Math.log(-Math.log(Math.min(1 - 2 ** -53, Math.max(2 ** -64, uniform))))
}
