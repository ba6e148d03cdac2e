import {
  checkedIndices,
  checkMembership,
  membershipTopK,
  sampleRange,
} from '../../../src/verification/index.js'
import { type Checker, sameJson } from '../checker.js'

export const checker: Checker = {
  vectors: 'verify_random',
  rules: {},
  check(testCase) {
    const { expected, output_sequence: tokens } = testCase
    const indices = checkedIndices(tokens.length, testCase.picked)
    const queried: number[] = []
    const result = checkMembership(
      tokens.map((token: { token_id: number }) => token.token_id),
      indices,
      (index) => {
        queried.push(index)
        const positions = testCase.engine_top_by_index[index]
        return positions === null ? null : new Set<number>(positions[0] ?? [])
      },
    )
    const range = sampleRange(tokens.length)
    const actual = {
      verified: result.verified,
      failed_index: result.failedIndex,
      indices_in_order: indices,
      indices_queried: queried,
      sample_size: range.size,
      sample_population_first_last: range.size > 0 ? [range.first, range.last] : [],
      logprobs: membershipTopK(testCase.temperature),
    }
    const wanted = {
      verified: expected.verified,
      failed_index: expected.failed_index,
      indices_in_order: expected.indices_in_order,
      indices_queried: expected.indices_queried,
      sample_size: expected.sample_size,
      sample_population_first_last: expected.sample_population_first_last,
      logprobs: expected.engine_request.logprobs,
    }
    return sameJson(actual, wanted)
      ? { agrees: true }
      : { agrees: false, detail: `${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}` }
  },
}
