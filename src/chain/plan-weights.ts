import { convertWeights, processWeights, type WeightLimits } from './process-weights.js'
import type { WeightEntry } from './weights-types.js'

/** The weights to submit, or why there are none. */
export type WeightPlan =
  | { readonly kind: 'submit'; readonly entries: readonly WeightEntry[] }
  | {
      readonly kind: 'skip'
      readonly reason: 'nothing-scorable' | 'too-few-weights'
      readonly detail: string
    }

/**
 * Converts scores to the weights the chain stores, as the SDK does. Where the SDK would make up weights (uniform for all, or
 * padding up to the minimum) nothing is submitted and the chain keeps its last weights. Negative and non-finite scores
 * count as zero, unknown uids are ignored, and the first score of a repeated uid counts.
 */
export function planWeights(
  uids: readonly number[],
  scores: readonly number[],
  limits: WeightLimits,
): WeightPlan {
  const best = new Map<number, number>()
  uids.forEach((uid, index) => {
    const score = scores[index] ?? 0
    const valid = Number.isInteger(uid) && uid >= 0 && uid < limits.neuronCount && Number.isFinite(score)
    if (valid && score > 0 && !best.has(uid)) best.set(uid, score)
  })
  const scored = [...best].sort(([a], [b]) => a - b)
  const largest = Math.max(0, ...scored.map(([, score]) => score))
  if (largest === 0) {
    return { kind: 'skip', reason: 'nothing-scorable', detail: 'No neuron has a score above zero.' }
  }
  // Scaled first, so that scores of any size fit float32.
  const weights = scored.map(([, score]) => score / largest)
  const needed = Math.min(limits.minAllowedWeights, limits.neuronCount)
  const entries = convertWeights(
    processWeights(
      { uids: scored.map(([uid]) => uid), weights },
      // The minimum is checked below, after rounding.
      { ...limits, minAllowedWeights: 0 },
    ),
  )
  if (entries.length < needed) {
    return {
      kind: 'skip',
      reason: 'too-few-weights',
      detail: `Only ${entries.length} neurons have a weight; the subnet requires ${needed}.`,
    }
  }
  return { kind: 'submit', entries }
}
