import { type Arithmetic, float32, float64 } from './numpy.js'
import type { WeightEntry } from './weights-types.js'

/** Float weights, one per uid. */
export interface FloatWeights {
  readonly uids: readonly number[]
  readonly weights: readonly number[]
}

export interface WeightLimits {
  /** Neurons on the subnet. */
  readonly neuronCount: number
  /** MinAllowedWeights. */
  readonly minAllowedWeights: number
  /** MaxWeightsLimit as a fraction, 0..1; constant 1 on today's chain. */
  readonly maxWeightLimit: number
}

const EPSILON = 1e-7
const U16_MAX = 65_535

/**
 * The SDK's process_weights_for_netuid (bittensor 8.5.1 and 10.2.0 utils/weight_utils.py), bit for bit, including its
 * pitfalls: without a positive weight, or with fewer neurons than the minimum, all neurons get the same weight; too few
 * positive weights are padded with 1e-5, by position instead of uid. planWeights excludes those cases.
 */
export function processWeights({ uids, weights }: FloatWeights, limits: WeightLimits): FloatWeights {
  const { neuronCount, minAllowedWeights, maxWeightLimit } = limits
  const everyUid = Array.from({ length: neuronCount }, (_, uid) => uid)
  const rounded = weights.map(float32.round)
  const positive = rounded.flatMap((weight, index) => (weight > 0 ? [index] : []))
  if (positive.length === 0 || neuronCount < minAllowedWeights) {
    return { uids: everyUid, weights: everyUid.map(() => 1 / neuronCount) }
  }
  const kept = positive.map((index) => rounded[index] ?? 0)
  if (positive.length < minAllowedWeights) {
    const padded = everyUid.map(() => 1e-5)
    positive.forEach((index, order) => {
      if (index < padded.length) padded[index] = (padded[index] ?? 0) + (kept[order] ?? 0)
    })
    return { uids: everyUid, weights: normalizeMaxWeight(padded, maxWeightLimit, float64) }
  }
  return {
    uids: positive.map((index) => uids[index] ?? 0),
    weights: normalizeMaxWeight(kept, maxWeightLimit, float32),
  }
}

/** Scales to the sum 1 with no entry above `limit` (weight_utils.normalize_max_weight). */
function normalizeMaxWeight(
  values: readonly number[],
  limit: number,
  { round, sum }: Arithmetic,
): readonly number[] {
  const count = values.length
  const total = sum(values)
  if (total === 0 || count * limit <= 1) return values.map(() => round(1 / count))
  const sorted = [...values].sort((a, b) => a - b)
  const sortedTotal = sum(sorted)
  const estimates = sorted.map((value) => round(value / sortedTotal))
  const roundedLimit = round(limit)
  if ((estimates.at(-1) ?? 0) <= roundedLimit) return values.map((value) => round(value / total))
  const epsilon = round(EPSILON)
  const cumulative: number[] = []
  for (const estimate of estimates) cumulative.push(round((cumulative.at(-1) ?? 0) + estimate))
  const valid = estimates.filter((estimate, index) => {
    const rest = round((count - index - 1) * estimate)
    return round(estimate / round(round(rest + (cumulative[index] ?? 0)) + epsilon)) < roundedLimit
  }).length
  // The count of valid entries is a numpy int64, which promotes this to float64 until it is stored again.
  const numerator = round(round(roundedLimit * (cumulative.at(valid - 1) ?? 0)) - epsilon)
  const cutoff = (numerator / (1 - limit * (count - valid))) * sortedTotal
  const clipped = values.map((value) => (value > cutoff ? round(cutoff) : value))
  const clippedTotal = sum(clipped)
  return clipped.map((value) => round(value / clippedTotal))
}

/**
 * The SDK's convert_weights_and_uids_for_emit: the largest becomes 65535, halves round to even, zeros are dropped.
 *
 * @throws RangeError on negative weights or lists of different or no length, as the SDK does.
 */
export function convertWeights({ uids, weights }: FloatWeights): readonly WeightEntry[] {
  if (uids.length !== weights.length) throw new RangeError('uids and weights differ in length')
  if (weights.length === 0) throw new RangeError('there are no weights')
  if (!weights.every((weight) => weight >= 0)) throw new RangeError('a weight is negative or not a number')
  if (!uids.every((uid) => uid >= 0)) throw new RangeError('a uid is negative')
  const largest = Math.max(...weights)
  if (largest === 0) return []
  return uids.flatMap((uid, index) => {
    const weightU16 = roundHalfEven(((weights[index] ?? 0) / largest) * U16_MAX)
    return weightU16 === 0 ? [] : [{ uid, weightU16 }]
  })
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  const part = value - floor
  if (part !== 0.5) return part < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}
