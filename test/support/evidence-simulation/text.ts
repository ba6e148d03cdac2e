import { type FastRandom, fastRandom } from './random.js'

export const VOCABULARY = 150
/** Ids lie in a vocabulary of this size, so that sampler noise sees ids like those of a real model. */
export const ID_SPACE = 128_000
export const TOP_K = 20

/** Next-token distributions as text has them: two of five positions nearly certain, 0.9 nats of entropy on average. */
export function createText(seed: number, kinds = 1000): readonly Float64Array[] {
  const random = fastRandom(seed)
  return Array.from({ length: kinds }, () => drawLogits(random))
}

/** Logits of a position, likeliest first. Gaps are exponential, so that close races are as frequent as in text. */
function drawLogits(random: FastRandom): Float64Array {
  const isCertain = random.uniform() < 0.4
  const slope = 1.1 + 1.8 * random.uniform()
  let logit = 0
  return Float64Array.from({ length: VOCABULARY }, (_, rank) => {
    if (rank > 0) logit += (slope / rank) * Math.log(random.uniform())
    if (rank === 1 && isCertain) logit -= 4 + 10 * random.uniform()
    return logit
  })
}
export function logSoftmax(logits: Float64Array): Float64Array {
  const most = logits.reduce((max, logit) => Math.max(max, logit), Number.NEGATIVE_INFINITY)
  const logSum = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0))
  return logits.map((logit) => logit - logSum)
}
