/**
 * The arithmetic of 4.4.1's targon/math.py, bit for bit: sums are computed as numpy does, because the last bits decide
 * ties. No function throws; where the original raised, the return type says so.
 */

/** Results in the window of a model (4.4.1 math.py `[-15:]`). */
export const WINDOW = 15

/** One result of a miner: tokens per second, or null for a miss. */
export type Result = number | null

/** Converts a success share (0..1) to a factor (0..1): missing half of the results halves the score. -∞ gives 0 (the original overflowed). */
export function sigmoid(share: number): number {
  return 1 / (1 + Math.exp(-((share - 0.5) / 0.1)))
}

/**
 * Mean of the results without misses × sigmoid(their share). No results, only misses and NaN or infinite means give 0. May be
 * negative because of organic penalties.
 */
export function safeMeanScore(results: readonly Result[]): number {
  const hits = results.filter((result): result is number => result !== null)
  if (hits.length === 0) return 0
  const mean = pairwiseSum(hits, 0, hits.length) / hits.length
  return Number.isFinite(mean) ? mean * sigmoid(hits.length / results.length) : 0
}

/** @returns the values rescaled to `low`..`high`; undefined if there are none or all are equal (the original divided by zero). */
export function normalize(values: readonly number[], low = 0, high = 1): number[] | undefined {
  const least = Math.min(...values)
  const span = Math.max(...values) - least
  if (values.length === 0 || span === 0) return undefined
  return values.map((value) => ((value - least) * (high - low)) / span + low)
}

/** numpy's pairwise summation: plain below 8 values, eight accumulators up to 128, halves above. */
function pairwiseSum(values: readonly number[], start: number, count: number): number {
  const at = (index: number) => values[start + index] ?? 0
  if (count < 8) {
    let sum = 0
    for (let index = 0; index < count; index++) sum += at(index)
    return sum
  }
  if (count > 128) {
    const half = (count >> 1) - ((count >> 1) % 8)
    return pairwiseSum(values, start, half) + pairwiseSum(values, start + half, count - half)
  }
  let [a, b, c, d, e, f, g, h] = [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)]
  let index = 8
  for (; index < count - (count % 8); index += 8) {
    a += at(index)
    b += at(index + 1)
    c += at(index + 2)
    d += at(index + 3)
    e += at(index + 4)
    f += at(index + 5)
    g += at(index + 6)
    h += at(index + 7)
  }
  let sum = a + b + (c + d) + (e + f + (g + h))
  for (; index < count; index++) sum += at(index)
  return sum
}
