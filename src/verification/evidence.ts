import type { ModelFacts, Reference } from '../engine/index.js'
import { at, type Column, orderTops, placeOf, type Tempered, type Tops, temper } from './distributions.js'
import { THRESHOLDS } from './thresholds.js'

/** A token that passed hygiene: its id is in the vocabulary and its logprob a number a model can report. */
export interface SoundToken {
  readonly id: number
  readonly logprob: number
}

/** What the rules judge: no engine, no clock, no text. */
export interface Evidence {
  readonly temperature: number
  readonly maxTokens: number
  readonly finishReason: string | undefined
  readonly tokens: readonly SoundToken[]
  readonly reference: Reference
  readonly facts: ModelFacts
  /** Entries asked for per position. */
  readonly topK: number
}

/** What every check needs, prepared once. Position i is that of token i. */
export interface JudgedAnswer extends Evidence {
  /** Rank of each token in the engine's distribution. */
  readonly ranks: Column
  /** The engine's own logprob of each token, at `referenceTemperature`. */
  readonly logprobs: Column
  /** What the engine would have said at each position, and at one more: what comes behind the last token. */
  readonly tops: Tops
  /** The distributions an honest sampler drew from. */
  readonly sampled: Tempered
  /** Temperature the reference logprobs are at: 1 unless the engine scales them. */
  readonly referenceTemperature: number
  /** Temperature expectations are computed at: the request's, never below the floor. */
  readonly samplingTemperature: number
  /** Ids that end an answer. */
  readonly endTokenIds: ReadonlySet<number>
}

/** Undefined when the reference lacks a position or its token. */
export function prepareAnswer(evidence: Evidence): JudgedAnswer | undefined {
  const { temperature, facts, reference, tokens, topK } = evidence
  const ranks = new Float64Array(tokens.length)
  const logprobs = new Float64Array(tokens.length)
  for (const [index, token] of tokens.entries()) {
    const own = reference.positions[index]?.get(token.id)
    if (!own) return undefined
    ranks[index] = own.rank
    logprobs[index] = own.logprob
  }
  // vLLM computes greedy logprobs at temperature 1 even where it scales them.
  const referenceTemperature = facts.scaledLogprobs && temperature > 0 ? temperature : 1
  const samplingTemperature = Math.max(temperature, THRESHOLDS.lowestTemperature.value)
  const positions = [...reference.positions.slice(0, tokens.length), reference.next]
  const tops = orderTops(positions, topK, facts.vocabularySize)
  const endTokenIds = new Set(facts.eosTokenIds)
  if (facts.endOfTurnId !== undefined) endTokenIds.add(facts.endOfTurnId)
  return {
    ...evidence,
    ranks,
    logprobs,
    tops,
    sampled: temper(tops, referenceTemperature / samplingTemperature),
    referenceTemperature,
    samplingTemperature,
    endTokenIds,
  }
}

/** The answer's positions at another temperature, which most often is the one they were sampled at. */
export function temperedAt({ tops, sampled }: JudgedAnswer, exponent: number): Tempered {
  return exponent === sampled.exponent ? sampled : temper(tops, exponent)
}

/** Chance that an honest sampler draws one of these ids here, as the top of the distribution tells it. */
export function chanceOf(
  ids: ReadonlySet<number>,
  { tops, sampled }: JudgedAnswer,
  position: number,
): number {
  let chance = 0
  for (const id of ids) {
    const place = placeOf(tops, position, id)
    if (place >= 0) chance += at(sampled.probabilities, place)
  }
  return chance
}
