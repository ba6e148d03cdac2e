import { convertWeights, processWeights, type WeightLimits } from './process-weights.js'
import type { WeightEntry } from './types.js'

/** What would be submitted for these scores, or why nothing is. */
export type WeightPlan =
  | { readonly kind: 'submit'; readonly entries: readonly WeightEntry[] }
  | {
      readonly kind: 'skip'
      readonly reason: 'nothing-scorable' | 'too-few-weights'
      readonly detail: string
    }

/**
 * Float scores to the vector the chain stores, by the SDK's own steps; where those would invent weights nobody earned
 * (uniform for all, or padding up to the minimum) nothing is submitted and the chain keeps its last vector.
 * Negative and non-finite scores count as zero, uids that are not on the subnet are left out, and of a uid given twice
 * the first score counts.
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
  // Scaling first keeps scores of any size within float32.
  const weights = scored.map(([, score]) => score / largest)
  const needed = Math.min(limits.minAllowedWeights, limits.neuronCount)
  const entries = convertWeights(
    processWeights(
      { uids: scored.map(([uid]) => uid), weights },
      // The minimum is checked below on what is left after rounding.
      { ...limits, minAllowedWeights: 0 },
    ),
  )
  if (entries.length < needed) {
    return {
      kind: 'skip',
      reason: 'too-few-weights',
      detail: `${entries.length} neurons have a weight, the subnet asks for ${needed}.`,
    }
  }
  return { kind: 'submit', entries }
}
