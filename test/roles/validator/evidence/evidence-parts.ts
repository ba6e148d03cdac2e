import type { ComparedAnswer } from '../../../../src/evidence/index.js'
import { createRandom } from '../../../../src/prompts/index.js'

const TOP = 20

/** A greedy answer of 200 tokens whose server ranks tokens by logits with this noise, in nats. */
export function greedyAnswer(seed: string, noise: number, tokens = 200): ComparedAnswer {
  const random = createRandom(seed)
  const starts = Float64Array.from({ length: tokens + 1 }, (_, index) => index * TOP)
  const ids = Float64Array.from({ length: tokens * TOP }, (_, index) => 100 + (index % TOP))
  const logprobs = new Float64Array(tokens * TOP)
  const tokenIds = new Float64Array(tokens)
  const reference = new Float64Array(tokens)
  for (let position = 0; position < tokens; position++) {
    const gaps = Array.from({ length: TOP - 1 }, () => 0.6 * random.next())
    const logits = [0, ...gaps.map((_, rank) => -gaps.slice(0, rank + 1).reduce((sum, gap) => sum + gap, 0))]
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0) * 1.001)
    for (const [rank, logit] of logits.entries()) logprobs[position * TOP + rank] = logit - total
    const theirs = logits.map((logit) => logit + noise * normal(() => random.next()))
    const drawn = theirs.indexOf(Math.max(...theirs))
    tokenIds[position] = 100 + drawn
    reference[position] = logprobs[position * TOP + drawn] ?? 0
  }
  const tail = new Float64Array(tokens).fill(0.001)
  return {
    ...{ temperature: 0, seed: 1, promptTokens: 10, tokenIds, claimed: reference, claimedAt: 1, reference },
    top: { starts, ids, logprobs, tail, vocabularySize: 32_000 },
    isCut: false,
  }
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
}
