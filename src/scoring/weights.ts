import { normalize } from './arithmetic.js'

export type ScoringRules = 'proportional' | 'targon-4'

/** `uids` ascend; `weights[i]` belongs to `uids[i]`, 0..1. */
export type WeightVector =
  | { readonly kind: 'weights'; readonly uids: readonly number[]; readonly weights: readonly number[] }
  /** Nothing to submit: the chain keeps the last weights. */
  | { readonly kind: 'nothing'; readonly reason: string }

/**
 * Weights from scores by uid; accepts any map and any numbers.
 *
 * `proportional`: score / best score, at least 0 and not shifted by the lowest miner, so that the failure of one miner does
 * not change the weight of another. One miner → 1. All equal → all 1. NaN and infinities count as 0. None above 0 → nothing.
 *
 * `targon-4` (4.4.1 math.py get_weights): min-max over all uids, the lowest gets 0; one uid or all equal → nothing
 * (division by zero); total below 1e-9 → nothing.
 */
export function weightsFrom(scores: ReadonlyMap<number, number>, rules: ScoringRules): WeightVector {
  const uids = [...scores.keys()].sort((a, b) => a - b)
  const values = uids.map((uid) => finite(scores.get(uid)))
  if (rules === 'targon-4') return minMax(uids, values)
  const best = Math.max(0, ...values)
  if (best === 0) return { kind: 'nothing', reason: 'no miner has a score above 0' }
  return { kind: 'weights', uids, weights: values.map((value) => Math.max(0, value) / best) }
}

function minMax(uids: readonly number[], values: readonly number[]): WeightVector {
  if (values.length === 0 || sumOf(values) < 1e-9) return { kind: 'nothing', reason: 'scores sum to 0' }
  const weights = normalize(values)
  if (!weights) return { kind: 'nothing', reason: 'all scores are equal' }
  return { kind: 'weights', uids, weights }
}

function finite(value: number | undefined): number {
  return value !== undefined && Number.isFinite(value) ? value : 0
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
