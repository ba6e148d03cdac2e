/**
 * The noise with which vLLM's Model Runner V2 draws tokens: a function of seed, position and token id. Tests named after
 * a behaviour: seeded-sampling.test.ts (murmur3.ts, philox.ts, sampler-noise.ts).
 */
export { hashToken } from './murmur3.js'
export { positionState, type SeedWords, seedWords, tokenGumbel, tokenUniform } from './sampler-noise.js'
