import type { ModelFacts, Reference } from '../engine/index.js'
import {
  type TemperedPosition,
  type TopOfDistribution,
  temperPosition,
  topOfDistribution,
} from './distribution.js'
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

/** One position with its token, the reference around it, and the distribution an honest sampler drew from. */
export interface JudgedPosition {
  readonly token: SoundToken
  readonly rank: number
  /** The engine's own logprob of this token, at `referenceTemperature`. */
  readonly logprob: number
  readonly top: TopOfDistribution
  readonly sampled: TemperedPosition
}

export interface JudgedAnswer extends Evidence {
  readonly positions: readonly JudgedPosition[]
  readonly next: { readonly top: TopOfDistribution; readonly sampled: TemperedPosition }
  /** Temperature the reference logprobs are at: 1 unless the engine scales them. */
  readonly referenceTemperature: number
  /** Temperature expectations are computed at: the request's, never below the floor. */
  readonly samplingTemperature: number
  /** Ids that end an answer. */
  readonly endTokenIds: ReadonlySet<number>
}

/** Prepares what every check needs, once. Undefined when the reference lacks a position or its token. */
export function prepareAnswer(evidence: Evidence): JudgedAnswer | undefined {
  const { temperature, facts, reference, tokens, topK } = evidence
  // vLLM computes greedy logprobs at temperature 1 even where it scales them.
  const referenceTemperature = facts.scaledLogprobs && temperature > 0 ? temperature : 1
  const samplingTemperature = Math.max(temperature, THRESHOLDS.lowestTemperature.value)
  const exponent = referenceTemperature / samplingTemperature
  const view = (position: Reference['next']) => {
    const top = topOfDistribution(position, topK, facts.vocabularySize)
    return { top, sampled: temperPosition(top, exponent) }
  }
  const positions: JudgedPosition[] = []
  for (const [index, token] of tokens.entries()) {
    const position = reference.positions[index]
    const own = position?.get(token.id)
    if (!position || !own) return undefined
    const { top, sampled } = view(position)
    positions.push({ token, rank: own.rank, logprob: own.logprob, top, sampled })
  }
  const endTokenIds = new Set(facts.eosTokenIds)
  if (facts.endOfTurnId !== undefined) endTokenIds.add(facts.endOfTurnId)
  return {
    ...evidence,
    positions,
    next: view(reference.next),
    referenceTemperature,
    samplingTemperature,
    endTokenIds,
  }
}

/** The position at another temperature, which most often is the one it was sampled at. */
export function temperedAt({ top, sampled }: JudgedPosition, exponent: number): TemperedPosition {
  return exponent === sampled.exponent ? sampled : temperPosition(top, exponent)
}

/** Chance that an honest sampler draws one of these ids here, as the top of the distribution tells it. */
export function chanceOf(ids: ReadonlySet<number>, view: Pick<JudgedPosition, 'top' | 'sampled'>): number {
  let chance = 0
  for (const id of ids) {
    const place = view.top.ids.indexOf(id)
    if (place >= 0) chance += view.sampled.probabilities[place] ?? 0
  }
  return chance
}
