import type { ModelFacts, ReferencePosition } from '../../src/engine/index.js'
import { createRandom } from '../../src/prompts/index.js'
import type { AnswerComparison } from '../../src/verification/index.js'

export const FACTS: ModelFacts = {
  vocabularySize: 32_000,
  eosTokenIds: [2],
  endOfTurnId: undefined,
  endpoints: ['chat', 'completion'],
  maxLogprobs: 20,
  dialect: 'v1',
  scaledLogprobs: false,
  maxModelLength: 8192,
}

const TOP_K = 20

/**
 * An answer sampled honestly from invented distributions: 20 likely tokens per position, a thin tail, raw logprobs on both
 * sides, no likely end token, exactly max_tokens long.
 */
export function honestComparison(seed: string, { tokens = 200, temperature = 0.8 } = {}): AnswerComparison {
  const random = createRandom(seed)
  const positions: ReferencePosition[] = []
  const answer: { id: number; logprob: number }[] = []
  for (let index = 0; index < tokens; index++) {
    const { position, ids } = makePosition(() => random.next())
    const sampled = sample(
      ids.map((id) => position.get(id)?.logprob ?? 0),
      temperature,
      random.next(),
    )
    const id = ids[sampled] ?? 0
    positions.push(position)
    answer.push({ id, logprob: position.get(id)?.logprob ?? 0 })
  }
  return {
    temperature,
    maxTokens: tokens,
    mayBeCut: false,
    finishReason: 'length',
    tokens: answer,
    reference: { positions, next: makePosition(() => random.next()).position },
    facts: FACTS,
    topK: TOP_K,
  }
}

function makePosition(next: () => number) {
  const spread = 0.3 + 2 * next()
  const logits = Array.from({ length: TOP_K }, (_, rank) => -spread * rank - 0.2 * next()).sort(
    (a, b) => b - a,
  )
  const logSum = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0) * 1.0001)
  const first = 100 + Math.floor(next() * 30_000)
  const ids = logits.map((_, index) => first + index)
  const position = new Map(
    ids.map((id, index) => [id, { logprob: (logits[index] ?? 0) - logSum, rank: index + 1 }]),
  )
  return { position, ids }
}

function sample(logprobs: readonly number[], temperature: number, dice: number): number {
  const powers = logprobs.map((logprob) => Math.exp(logprob / Math.max(temperature, 1e-3)))
  let left = dice * powers.reduce((sum, power) => sum + power, 0)
  const index = powers.findIndex((power) => {
    left -= power
    return left < 0
  })
  return Math.max(0, index)
}
