import { at } from '../evidence/index.js'
import { type PreparedAnswer, probabilityOfAny } from './answer-comparison.js'
import { hardestCut, keptShare } from './cuts.js'
import { THRESHOLDS } from './thresholds.js'

/** Where an answer ended by itself, before max_tokens. */
export interface Ending {
  /** Tokens before the end. */
  readonly place: number
  /** Largest probability with which an honest server ends here. */
  readonly chance: number
}

/** @returns undefined when the answer is as long as requested, or when the model's end tokens are unknown. */
export function endingOf(answer: PreparedAnswer): Ending | undefined {
  const { tokens, maxTokens, endTokenIds, top, sampling, samplingTemperature } = answer
  if (tokens.length >= maxTokens || endTokenIds.size === 0) return undefined
  const last = tokens.at(-1)
  const hasEndToken = last !== undefined && endTokenIds.has(last.id)
  const place = hasEndToken ? tokens.length - 1 : tokens.length
  const listed = probabilityOfAny(endTokenIds, answer, place)
  const probability = hasEndToken ? Math.max(listed, largestProbability(answer, place)) : listed
  // A server that truncates ends more often where it keeps the end token, and noise may favour it.
  const { low } = keptShare(top, sampling, place, hardestCut(answer), 0)
  const noise = THRESHOLDS.numericNoise.value / samplingTemperature
  return { place, chance: Math.min(1, (probability / low) * Math.exp(noise)) }
}

/** The largest probability the answer's token at this position can have had; it may lie outside the top. */
function largestProbability({ logprobs, sampling }: PreparedAnswer, position: number): number {
  const power = sampling.exponent * at(logprobs, position)
  return Math.min(1, Math.exp(power - at(sampling.lowLogNormaliser, position)))
}

/**
 * How many times likelier this end is from a miner that chooses where to end. Such a miner ends half of its answers among
 * the first few tokens, where no speed can be measured, and the others anywhere, earlier places being likelier.
 */
export function endOdds({ place, chance }: Ending, maxTokens: number): number {
  const shortest = THRESHOLDS.shortestAnswer.value
  const anywhere = 1 / ((place + 1) * (1 + Math.log(maxTokens)))
  const choice = (anywhere + (place < shortest ? 1 / shortest : 0)) / 2
  return choice / Math.max(chance, Number.MIN_VALUE)
}

/**
 * Evidence that a miner chooses where its answers end, after one more verified answer: a bet on every answer, multiplied.
 * For an honest miner the factor is 1 on average whatever the model does, so that chance alone takes at least
 * 1/`falseAlarm` answers on average to reach `PROVEN_ENDINGS` (Ville's inequality; the product never falls below 1, so that
 * past honesty buys nothing).
 */
export function weighEnding(evidence: number, odds = 0): number {
  const stake = THRESHOLDS.endStake.value
  return Math.min(PROVEN_ENDINGS, Math.max(1, evidence * (1 - stake + stake * odds)))
}

/** Evidence from which an early end fails. */
export const PROVEN_ENDINGS = 1 / THRESHOLDS.falseAlarm.value
