import type { ReferencePosition } from '../engine/index.js'
import { at, type TopTokens } from '../evidence/index.js'

/** Sorts the engine's tokens and drops the one vLLM adds beyond the top K because it is in the prompt. */
export function collectTopTokens(
  positions: readonly ReferencePosition[],
  topK: number,
  vocabularySize: number,
): TopTokens {
  const size = positions.reduce((sum, position) => sum + position.size, 0)
  const starts = new Float64Array(positions.length + 1)
  const ids = new Float64Array(size)
  const logprobs = new Float64Array(size)
  const tail = new Float64Array(positions.length)
  let end = 0
  for (const [index, position] of positions.entries()) {
    const start = end
    let sum = 0
    for (const [id, token] of position) {
      if (token.rank > topK) continue
      const logprob = Math.min(0, token.logprob)
      sum += Math.exp(logprob)
      let entry = end++
      for (; entry > start && at(logprobs, entry - 1) < logprob; entry--) {
        ids[entry] = at(ids, entry - 1)
        logprobs[entry] = at(logprobs, entry - 1)
      }
      ids[entry] = id
      logprobs[entry] = logprob
    }
    starts[index + 1] = end
    tail[index] = Math.max(0, 1 - sum)
  }
  return { starts, ids, logprobs, tail, vocabularySize }
}
