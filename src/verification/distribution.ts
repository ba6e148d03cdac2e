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

/** Where a position is put in order: a thousand positions of twenty entries would else leave their growing arrays behind. */
const scratch = { ids: [0], logprobs: [-0.5] }

/** Orders the engine's entries and leaves out the token that was only added because it was asked about. */
export function topOfDistribution(
  position: ReferencePosition,
  topK: number,
  vocabularySize: number,
): TopOfDistribution {
  const { ids, logprobs } = scratch
  let [count, sum] = [0, 0]
  for (const [id, entry] of position) {
    if (entry.rank > topK) continue
    const logprob = Math.min(0, entry.logprob)
    sum += Math.exp(logprob)
    let place = count++
    for (; place > 0 && (logprobs[place - 1] ?? 0) < logprob; place--) {
      ids[place] = ids[place - 1] ?? 0
      logprobs[place] = logprobs[place - 1] ?? 0
    }
    ids[place] = id
    logprobs[place] = logprob
  }
  return {
    ids: ids.slice(0, count),
    logprobs: logprobs.slice(0, count),
    rest: Math.max(0, 1 - sum),
    restTokens: Math.max(1, vocabularySize - count),
  }
}

/** The same position with every probability raised to `exponent` (1/temperature) and normalised again. */
export interface TemperedPosition {
  readonly exponent: number
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
  const probabilities = top.logprobs.slice()
  let seen = 0
  for (let place = 0; place < probabilities.length; place++) {
    const power = Math.exp(exponent * (probabilities[place] ?? 0) - shift)
    probabilities[place] = power
    seen += power
  }
  const tail = tailPower(top, exponent)
  const tailLow = Math.exp(Math.min(tail.low - shift, 700))
  const tailHigh = Math.exp(Math.min(tail.high - shift, 700))
  const total = seen + tailHigh
  for (let place = 0; place < probabilities.length; place++)
    probabilities[place] = (probabilities[place] ?? 0) / total
  return {
    exponent,
    probabilities,
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
export function temperLogprob(logprob: number, tempered: TemperedPosition): Range {
  const power = tempered.exponent * logprob
  return {
    low: Math.min(0, power - tempered.logNormaliser.high),
    high: Math.min(0, power - tempered.logNormaliser.low),
  }
}
