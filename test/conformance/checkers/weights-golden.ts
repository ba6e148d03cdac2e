import { convertWeights, processWeights } from '../../../src/chain/process-weights.js'
import type { Checker } from '../checker.js'

/** Cases made by executing the SDK's weight_utils.py: exact, floats included. */
export const checker: Checker = {
  vectors: 'weights-golden',
  rules: {},
  cases: ({ json }) => {
    const cases = (json as { cases?: { emit_vals?: unknown; process_weights?: unknown }[] } | undefined)
      ?.cases
    return cases?.every((c) => c.emit_vals && c.process_weights) ? cases : undefined
  },
  check(c) {
    const processed = processWeights(
      { uids: c.uids, weights: c.weights },
      {
        neuronCount: c.n,
        minAllowedWeights: c.min_allowed_weights,
        maxWeightLimit: c.max_weights_limit_u16 / 65_535,
      },
    )
    const entries = convertWeights(processed)
    const ours = [
      processed.uids,
      processed.weights,
      entries.map(({ uid }) => uid),
      entries.map(({ weightU16 }) => weightU16),
    ]
    const theirs = [c.process_uids, c.process_weights, c.emit_uids, c.emit_vals]
    return JSON.stringify(ours) === JSON.stringify(theirs)
      ? { agrees: true }
      : { agrees: false, detail: `${c.name}: got ${JSON.stringify(ours).slice(0, 300)}` }
  },
}
