import type { ReferencePosition } from '../engine/index.js'

/** Both ends of a value that the unseen tail of a distribution leaves uncertain. */
export interface Range {
  readonly low: number
  readonly high: number
}

/** One reference position: the top of a distribution, likeliest first, and what is left for all other tokens. */
export interface TopOfDistribution {
  readonly ids: readonly number[]
  readonly logprobs: readonly number[]
  /** Probability of everything outside the top. */
  readonly rest: number
  readonly restTokens: number
}

/** Orders the engine's entries and leaves out the token that was only added because it was asked about. */
export function topOfDistribution(
  position: ReferencePosition,
  topK: number,
  vocabularySize: number,
): TopOfDistribution {
  const ranked = [...position].filter(([, entry]) => entry.rank <= topK)
  ranked.sort(([, a], [, b]) => b.logprob - a.logprob)
  const logprobs = ranked.map(([, entry]) => Math.min(0, entry.logprob))
  const sum = logprobs.reduce((total, logprob) => total + Math.exp(logprob), 0)
  return {
    ids: ranked.map(([id]) => id),
    logprobs,
    rest: Math.max(0, 1 - sum),
    restTokens: Math.max(1, vocabularySize - ranked.length),
  }
}

/** The same position with every probability raised to `exponent` (1/temperature) and normalised again. */
export interface TemperedPosition {
  /** Probabilities of `top.ids`, upper tail assumed, so they add up to 1 with `rest`. */
  readonly probabilities: readonly number[]
  /** Largest probability the tail can have. */
  readonly rest: number
  /** Log of the sum all powers are divided by. */
  readonly logNormaliser: Range
}

/**
 * Changes the temperature of a position of which only the top is known. The tail's share after the change lies
 * between its share if it were spread evenly over all other tokens and if it sat in as few tokens as its order allows.
 */
export function temperPosition(top: TopOfDistribution, exponent: number): TemperedPosition {
  const shift = exponent * (top.logprobs[0] ?? 0)
  const powers = top.logprobs.map((logprob) => Math.exp(exponent * logprob - shift))
  const seen = powers.reduce((total, power) => total + power, 0)
  const tail = tailPower(top, exponent)
  const tailLow = Math.exp(Math.min(tail.low - shift, 700))
  const tailHigh = Math.exp(Math.min(tail.high - shift, 700))
  const total = seen + tailHigh
  return {
    probabilities: powers.map((power) => power / total),
    rest: tailHigh / total,
    logNormaliser: { low: shift + Math.log(seen + tailLow), high: shift + Math.log(total) },
  }
}

/** Log of the sum of the tail's probabilities raised to `exponent`. */
function tailPower(top: TopOfDistribution, exponent: number): Range {
  if (top.rest <= 1e-9) return { low: Number.NEGATIVE_INFINITY, high: Number.NEGATIVE_INFINITY }
  const logRest = Math.log(top.rest)
  const spread = logRest + (exponent - 1) * (logRest - Math.log(top.restTokens))
  const packed = logRest + (exponent - 1) * (top.logprobs.at(-1) ?? 0)
  return { low: Math.min(spread, packed), high: Math.max(spread, packed) }
}

/** Logprob of a token at another temperature, as exactly as the unseen tail allows. */
export function temperLogprob(logprob: number, exponent: number, tempered: TemperedPosition): Range {
  const power = exponent * logprob
  return {
    low: Math.min(0, power - tempered.logNormaliser.high),
    high: Math.min(0, power - tempered.logNormaliser.low),
  }
}
