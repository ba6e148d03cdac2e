import { convertWeights, processWeights } from '../../../src/chain/process-weights.js'
import { type Checker, closeTo } from '../checker.js'

/** bittensor 8.5.1 process_weights_for_netuid and convert_weights_and_uids_for_emit. */
export const checker: Checker = {
  vectors: 'process_weights',
  rules: {},
  check({ input, expected }, { numeric_tolerance: tolerance = 1e-6 }) {
    const processed = processWeights(input, {
      neuronCount: input.metagraph_n,
      minAllowedWeights: input.min_allowed_weights,
      maxWeightLimit: input.max_weight_limit,
    })
    const entries = convertWeights(processed)
    const agrees =
      sameList(processed.uids, expected.uids) &&
      sameList(processed.weights, expected.weights, tolerance) &&
      sameList(
        entries.map(({ uid }) => uid),
        expected.emit_uids,
      ) &&
      // numpy 1 and 2 differ in the last bit of some quotients, so ±1 is allowed
      entries.every(({ weightU16 }, index) => Math.abs(weightU16 - expected.emit_values[index]) <= 1)
    return agrees
      ? { agrees }
      : { agrees, detail: `got ${JSON.stringify({ processed, entries }).slice(0, 300)}` }
  },
}

function sameList(actual: readonly number[], expected: readonly number[], tolerance = 0): boolean {
  return (
    actual.length === expected.length &&
    actual.every((value, index) => closeTo(value, expected[index] ?? Number.NaN, tolerance))
  )
}
