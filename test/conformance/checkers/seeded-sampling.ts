import {
  hashToken,
  positionState,
  seedWords,
  tokenGumbel,
  tokenUniform,
} from '../../../src/evidence/samplers/index.js'
import type { Case, Checker } from '../checker.js'

/** vLLM's own sampling kernels: hash or bits exactly, uniform and Gumbel numbers within single precision. */
export const checker: Checker = {
  vectors: 'seeded_sampling',
  rules: {},
  cases: ({ json }) => {
    const { murmur3, philox }: Case = json
    return Array.isArray(murmur3) && Array.isArray(philox) ? [...murmur3, ...philox] : undefined
  },
  check(testCase, { numeric_tolerance: tolerance }) {
    const differing = differences(testCase, tolerance)
    return differing.length === 0
      ? { agrees: true }
      : { agrees: false, detail: differing.slice(0, 3).join('; ') }
  },
}

/** What differs from a case of either table; single precision is compared relative to numbers above 1, absolutely below. */
export function differences(testCase: Case, tolerance: number): string[] {
  const seed = seedWords(BigInt(testCase.seed))
  const found: string[] = []
  const expectNear = (name: string, index: number, actual: number, expected: number) => {
    if (!(Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected))))
      found.push(`${name} of token ${testCase.tokens[index]}: ${actual} instead of ${expected}`)
  }
  for (const [index, id] of testCase.tokens.entries()) {
    if (testCase.hash) {
      const state = positionState('murmur3', seed, testCase.position)
      if (hashToken(state, id) !== testCase.hash[index]) found.push(`hash of token ${id}`)
      expectNear('uniform', index, tokenUniform('murmur3', state, id), testCase.uniform[index])
      expectNear('gumbel', index, tokenGumbel('murmur3', state, id), testCase.gumbel[index])
      continue
    }
    const state = positionState('philox-fp32', seed, testCase.position)
    if (state !== testCase.streamSeed) found.push(`stream seed: ${state} instead of ${testCase.streamSeed}`)
    expectNear('uniform', index, tokenUniform('philox-fp32', state, id), testCase.uniform[index])
    expectNear('gumbel', index, tokenGumbel('philox-fp32', state, id), testCase.gumbel[index])
    const bits = testCase.hi[index] * 2 ** -32 + testCase.lo[index] * 2 ** -64
    if (tokenUniform('philox-64', state, id) !== bits) found.push(`64 bits of token ${id}`)
    expectNear('64-bit gumbel', index, tokenGumbel('philox-64', state, id), testCase.gumbel64[index])
  }
  return found
}
