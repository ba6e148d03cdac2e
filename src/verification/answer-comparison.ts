import type { ModelFacts, Reference } from '../engine/index.js'
import {
  applyTemperature,
  at,
  type Column,
  findToken,
  type TemperedDistributions,
  type TopTokens,
} from '../evidence/index.js'
import { collectTopTokens } from './distributions.js'
import { THRESHOLDS } from './thresholds.js'

/** A token that passed hygiene: its id is in the vocabulary and its logprob is one a model can report. */
export interface CheckedToken {
  readonly id: number
  readonly logprob: number
}

/** An answer together with the engine's reference distributions: everything the strict rules depend on. */
export interface AnswerComparison {
  readonly temperature: number
  readonly maxTokens: number
  /** Whether an honest server may have drawn from truncated distributions; false when the request rules that out. */
  readonly mayBeCut: boolean
  readonly finishReason: string | undefined
  readonly tokens: readonly CheckedToken[]
  readonly reference: Reference
  readonly facts: ModelFacts
  /** Reference entries requested per position. */
  readonly topK: number
}

/** The values all checks share, computed once per answer. Position i belongs to token i. */
export interface PreparedAnswer extends AnswerComparison {
  /** Rank of each token in the engine's distribution. */
  readonly ranks: Column
  /** The engine's logprob of each token, at `referenceTemperature`. */
  readonly logprobs: Column
  /** The engine's top tokens at each position, and at one more: after the last token. */
  readonly top: TopTokens
  /** The distributions an honest sampler draws from. */
  readonly sampling: TemperedDistributions
  /** Temperature of the reference logprobs: 1 unless the engine scales them. */
  readonly referenceTemperature: number
  /** Temperature at which expectations are computed: the request's, but at least `THRESHOLDS.lowestTemperature`. */
  readonly samplingTemperature: number
  /** Ids that end an answer. */
  readonly endTokenIds: ReadonlySet<number>
}

/** @returns undefined when the reference is missing a position or its token. */
export function prepareAnswer(comparison: AnswerComparison): PreparedAnswer | undefined {
  const { temperature, facts, reference, tokens, topK } = comparison
  const ranks = new Float64Array(tokens.length)
  const logprobs = new Float64Array(tokens.length)
  for (const [index, token] of tokens.entries()) {
    const expected = reference.positions[index]?.get(token.id)
    if (!expected) return undefined
    ranks[index] = expected.rank
    logprobs[index] = expected.logprob
  }
  // vLLM computes greedy logprobs at temperature 1 even where it scales them.
  const referenceTemperature = facts.scaledLogprobs && temperature > 0 ? temperature : 1
  const samplingTemperature = Math.max(temperature, THRESHOLDS.lowestTemperature.value)
  const positions = [...reference.positions.slice(0, tokens.length), reference.next]
  const top = collectTopTokens(positions, topK, facts.vocabularySize)
  const endTokenIds = new Set(facts.eosTokenIds)
  if (facts.endOfTurnId !== undefined) endTokenIds.add(facts.endOfTurnId)
  // vLLM also stops at the tokenizer's end token, which ChatML models often list nowhere else.
  if (facts.tokenizerEosId !== undefined) endTokenIds.add(facts.tokenizerEosId)
  return {
    ...comparison,
    ranks,
    logprobs,
    top,
    sampling: applyTemperature(top, referenceTemperature / samplingTemperature),
    referenceTemperature,
    samplingTemperature,
    endTokenIds,
  }
}

/** The answer's distributions at another temperature; usually the one they were sampled at, which is not recomputed. */
export function distributionsAt({ top, sampling }: PreparedAnswer, exponent: number): TemperedDistributions {
  return exponent === sampling.exponent ? sampling : applyTemperature(top, exponent)
}

/** Probability that an honest sampler draws one of these ids at this position, counting only ids in the top. */
export function probabilityOfAny(
  ids: ReadonlySet<number>,
  { top, sampling }: PreparedAnswer,
  position: number,
): number {
  let probability = 0
  for (const id of ids) {
    const entry = findToken(top, position, id)
    if (entry >= 0) probability += at(sampling.probabilities, entry)
  }
  return probability
}
