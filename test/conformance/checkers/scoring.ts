import { normalize, rawScore, safeMeanScore, sigmoid, weightsFrom } from '../../../src/scoring/index.js'
import { type Checker, type Finding, sameJson } from '../checker.js'

/** The arithmetic of 4.4.1 behind `--scoring.rules targon-4`. */
export const checker: Checker = {
  vectors: 'scoring',
  rules: {
    'sigmoid-total':
      'The original overflows far below 0, which no success rate reaches; ours returns the limit, 0.',
  },
  check: ({ fn, input, expected }, { numeric_tolerance: tolerance }) => {
    if (fn === 'sigmoid' && expected.raises)
      return sigmoid(input.value) === 0
        ? { agrees: false, explainedBy: 'sigmoid-total' }
        : { agrees: false, detail: `sigmoid(${input.value}) is not 0` }
    if (fn === 'get_weights')
      return compare(weights(input), expected.result === null ? null : expected, tolerance)
    const actual =
      fn === 'normalize'
        ? normalize(input.values, input.t_min, input.t_max)
        : fn === 'sigmoid'
          ? sigmoid(input.value)
          : safeMeanScore(input.values)
    return compare(actual, expected.raises ? undefined : expected.value, tolerance)
  },
}

interface GetWeights {
  readonly miner_models: Record<string, string[]>
  readonly miner_tps: Record<string, Record<string, (number | null)[] | null> | null>
  readonly organics: Record<string, (number | null)[]>
  readonly models: string[]
}

/** null: the original swallowed an exception and set nothing; empty arrays: it decided not to set weights. */
function weights(input: GetWeights): { uids: readonly number[]; weights: readonly number[] } | null {
  const scores = new Map(
    Object.entries(input.miner_tps).map(([uid, results]) => {
      const windows = Object.entries(results ?? {}).map(([model, window]) => [model, window ?? []] as const)
      const record = { results: new Map(windows), organics: input.organics[uid] ?? [] }
      return [Number(uid), rawScore(record, input.miner_models[uid] ?? [], new Set(input.models))]
    }),
  )
  const vector = weightsFrom(scores, 'targon-4')
  if (vector.kind === 'weights') return { uids: vector.uids, weights: vector.weights }
  return vector.reason === 'all scores are equal' ? null : { uids: [], weights: [] }
}

function compare(actual: unknown, expected: unknown, tolerance: number): Finding {
  return sameJson(actual, expected, tolerance)
    ? { agrees: true }
    : {
        agrees: false,
        detail: `got ${JSON.stringify(actual)?.slice(0, 300)}, expected ${JSON.stringify(expected)?.slice(0, 300)}`,
      }
}
