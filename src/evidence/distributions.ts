/** Both ends of a value that the unseen tail of a distribution leaves uncertain. */
export interface Bounds {
  readonly low: number
  readonly high: number
}

/** Ids and indices use the same array type as logprobs, so that every reader is compiled for one kind of array. */
export type Column = Float64Array

/**
 * The top tokens of every position, stored in columns: as objects, a thousand positions of twenty tokens cost more to
 * allocate than to judge. `ids` and `logprobs` have one entry per token, `tail` one per position. The entries of a
 * position run from `starts[position]` to `starts[position + 1]`, likeliest first.
 */
export interface TopTokens {
  readonly starts: Column
  readonly ids: Column
  readonly logprobs: Column
  /** Probability of all tokens outside the top together. */
  readonly tail: Column
  readonly vocabularySize: number
}

/** Every index comes from `starts`, so the fallback is never used. */
export function at(column: Column, index: number): number {
  return column[index] ?? 0
}

/** Logprob of a position's likeliest token; 0 where the top is empty. */
export function likeliestLogprob({ starts, logprobs }: TopTokens, position: number): number {
  const start = at(starts, position)
  return start < at(starts, position + 1) ? at(logprobs, start) : 0
}

/** The entry of a token in the top of a position, or -1. */
export function findToken({ starts, ids }: TopTokens, position: number, id: number): number {
  const end = at(starts, position + 1)
  for (let entry = at(starts, position); entry < end; entry++) if (ids[entry] === id) return entry
  return -1
}

/** The same positions with every probability raised to `exponent` (1/temperature) and normalised again. */
export interface TemperedDistributions {
  readonly exponent: number
  /** Per entry, assuming the largest possible tail: with its `tail`, a position adds up to 1. */
  readonly probabilities: Column
  /** Per position: largest probability the tail can have. */
  readonly tail: Column
  /** Per position: bounds on the log of the sum by which all powers are divided. */
  readonly lowLogNormaliser: Column
  readonly highLogNormaliser: Column
}

/**
 * Changes the temperature of distributions of which only the top is known. The tail's probability afterwards lies between
 * two extremes: spread evenly over all other tokens, or concentrated in as few tokens as their ranks allow.
 */
export function applyTemperature(top: TopTokens, exponent: number): TemperedDistributions {
  const { starts, logprobs } = top
  const count = top.tail.length
  const probabilities = new Float64Array(logprobs.length)
  const tail = new Float64Array(count)
  const lowLogNormaliser = new Float64Array(count)
  const highLogNormaliser = new Float64Array(count)
  for (let position = 0; position < count; position++) {
    const [start, end] = [at(starts, position), at(starts, position + 1)]
    const shift = exponent * likeliestLogprob(top, position)
    let seen = 0
    for (let entry = start; entry < end; entry++) {
      const power = Math.exp(exponent * at(logprobs, entry) - shift)
      probabilities[entry] = power
      seen += power
    }
    const bounds = tailPower(top, position, exponent)
    const tailLow = Math.exp(Math.min(bounds.low - shift, 700))
    const tailHigh = Math.exp(Math.min(bounds.high - shift, 700))
    const total = seen + tailHigh
    for (let entry = start; entry < end; entry++) probabilities[entry] = at(probabilities, entry) / total
    tail[position] = tailHigh / total
    lowLogNormaliser[position] = shift + Math.log(seen + tailLow)
    highLogNormaliser[position] = shift + Math.log(total)
  }
  return { exponent, probabilities, tail, lowLogNormaliser, highLogNormaliser }
}

/** Log of the sum of the tail's probabilities raised to `exponent`. */
function tailPower(
  { starts, logprobs, tail, vocabularySize }: TopTokens,
  position: number,
  exponent: number,
): Bounds {
  const share = at(tail, position)
  if (share <= 1e-9) return { low: Number.NEGATIVE_INFINITY, high: Number.NEGATIVE_INFINITY }
  const [start, end] = [at(starts, position), at(starts, position + 1)]
  const logShare = Math.log(share)
  const others = Math.max(1, vocabularySize - (end - start))
  const spread = logShare + (exponent - 1) * (logShare - Math.log(others))
  const packed = logShare + (exponent - 1) * (start < end ? at(logprobs, end - 1) : 0)
  return { low: Math.min(spread, packed), high: Math.max(spread, packed) }
}

/** Bounds on a token's logprob at the other temperature, as tight as the unseen tail allows. */
export function logprobAtTemperature(
  logprob: number,
  tempered: TemperedDistributions,
  position: number,
): Bounds {
  const power = tempered.exponent * logprob
  return {
    low: Math.min(0, power - at(tempered.highLogNormaliser, position)),
    high: Math.min(0, power - at(tempered.lowLogNormaliser, position)),
  }
}
