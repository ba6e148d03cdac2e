import type { ReferencePosition } from '../engine/index.js'

/** Both ends of a value that the unseen tail of a distribution leaves uncertain. */
export interface Range {
  readonly low: number
  readonly high: number
}

/** One type for ids and places too, so that every reader meets one kind of array. */
export type Column = Float64Array

/**
 * The tops of an answer's distributions in columns: a thousand positions of twenty entries, as objects, cost more to
 * collect than to judge. `ids` and `logprobs` are read by place, `rest` by position; the places of a position run from
 * `starts[position]` to `starts[position + 1]`, likeliest first.
 */
export interface Tops {
  readonly starts: Column
  readonly ids: Column
  readonly logprobs: Column
  /** Probability of everything outside the top. */
  readonly rest: Column
  readonly vocabularySize: number
}

/** A column's number; every index comes from `starts`. */
export function at(column: Column, index: number): number {
  return column[index] ?? 0
}

/** Orders the engine's entries and leaves out the token that was only added because it was asked about. */
export function orderTops(
  positions: readonly ReferencePosition[],
  topK: number,
  vocabularySize: number,
): Tops {
  const entries = positions.reduce((sum, position) => sum + position.size, 0)
  const starts = new Float64Array(positions.length + 1)
  const ids = new Float64Array(entries)
  const logprobs = new Float64Array(entries)
  const rest = new Float64Array(positions.length)
  let end = 0
  for (const [index, position] of positions.entries()) {
    const start = end
    let sum = 0
    for (const [id, entry] of position) {
      if (entry.rank > topK) continue
      const logprob = Math.min(0, entry.logprob)
      sum += Math.exp(logprob)
      let place = end++
      for (; place > start && at(logprobs, place - 1) < logprob; place--) {
        ids[place] = at(ids, place - 1)
        logprobs[place] = at(logprobs, place - 1)
      }
      ids[place] = id
      logprobs[place] = logprob
    }
    starts[index + 1] = end
    rest[index] = Math.max(0, 1 - sum)
  }
  return { starts, ids, logprobs, rest, vocabularySize }
}

/** Logprob of a position's likeliest token; 0 where no token of the top is known. */
export function likeliestLogprob({ starts, logprobs }: Tops, position: number): number {
  const start = at(starts, position)
  return start < at(starts, position + 1) ? at(logprobs, start) : 0
}

/** Where a token stands in the top of its position; -1 when it does not. */
export function placeOf({ starts, ids }: Tops, position: number, id: number): number {
  const end = at(starts, position + 1)
  for (let place = at(starts, position); place < end; place++) if (ids[place] === id) return place
  return -1
}

/** The same positions with every probability raised to `exponent` (1/temperature) and normalised again. */
export interface Tempered {
  readonly exponent: number
  /** By place. The upper tail is assumed, so a position's add up to 1 with its `rest`. */
  readonly probabilities: Column
  /** By position: largest probability the tail can have. */
  readonly rest: Column
  /** By position: log of the sum all powers are divided by, between these two. */
  readonly lowLogNormaliser: Column
  readonly highLogNormaliser: Column
}

/**
 * Changes the temperature of positions of which only the top is known. The tail's share after the change lies
 * between its share if it were spread evenly over all other tokens and if it sat in as few tokens as its order allows.
 */
export function temper(tops: Tops, exponent: number): Tempered {
  const { starts, logprobs } = tops
  const count = tops.rest.length
  const probabilities = new Float64Array(logprobs.length)
  const rest = new Float64Array(count)
  const lowLogNormaliser = new Float64Array(count)
  const highLogNormaliser = new Float64Array(count)
  for (let position = 0; position < count; position++) {
    const [start, end] = [at(starts, position), at(starts, position + 1)]
    const shift = exponent * likeliestLogprob(tops, position)
    let seen = 0
    for (let place = start; place < end; place++) {
      const power = Math.exp(exponent * at(logprobs, place) - shift)
      probabilities[place] = power
      seen += power
    }
    const tail = tailPower(tops, position, exponent)
    const tailLow = Math.exp(Math.min(tail.low - shift, 700))
    const tailHigh = Math.exp(Math.min(tail.high - shift, 700))
    const total = seen + tailHigh
    for (let place = start; place < end; place++) probabilities[place] = at(probabilities, place) / total
    rest[position] = tailHigh / total
    lowLogNormaliser[position] = shift + Math.log(seen + tailLow)
    highLogNormaliser[position] = shift + Math.log(total)
  }
  return { exponent, probabilities, rest, lowLogNormaliser, highLogNormaliser }
}

/** Log of the sum of the tail's probabilities raised to `exponent`. */
function tailPower(
  { starts, logprobs, rest, vocabularySize }: Tops,
  position: number,
  exponent: number,
): Range {
  const share = at(rest, position)
  if (share <= 1e-9) return { low: Number.NEGATIVE_INFINITY, high: Number.NEGATIVE_INFINITY }
  const [start, end] = [at(starts, position), at(starts, position + 1)]
  const logShare = Math.log(share)
  const others = Math.max(1, vocabularySize - (end - start))
  const spread = logShare + (exponent - 1) * (logShare - Math.log(others))
  const packed = logShare + (exponent - 1) * (start < end ? at(logprobs, end - 1) : 0)
  return { low: Math.min(spread, packed), high: Math.max(spread, packed) }
}

/** Logprob of a position's token at another temperature, as exactly as the unseen tail allows. */
export function temperLogprob(logprob: number, tempered: Tempered, position: number): Range {
  const power = tempered.exponent * logprob
  return {
    low: Math.min(0, power - at(tempered.highLogNormaliser, position)),
    high: Math.min(0, power - at(tempered.lowLogNormaliser, position)),
  }
}
