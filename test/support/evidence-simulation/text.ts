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
  const logSum = logSumOf(logits)
  return logits.map((logit) => logit - logSum)
}

/** log of the sum of e^logit, in plain loops: an experiment calls it some hundred million times. */
export function logSumOf(logits: Float64Array): number {
  let most = Number.NEGATIVE_INFINITY
  for (let rank = 0; rank < logits.length; rank++) most = Math.max(most, logits[rank] ?? most)
  let sum = 0
  for (let rank = 0; rank < logits.length; rank++) {
    const distance = (logits[rank] ?? most) - most
    // e^-40 is below the precision of the sum.
    if (distance > -40) sum += Math.exp(distance)
  }
  return most + Math.log(sum)
}
