import type { ComparedAnswer } from './compared-answer.js'
import { applyTemperature, type TemperedDistributions } from './distributions.js'

/** vLLM decodes greedily below this temperature … (`_SAMPLING_EPS`) */
const GREEDY_BELOW = 1e-5
/** … and raises lower temperatures to this one (`_MAX_TEMP`, sampling_params.py). */
const LEAST_TEMPERATURE = 0.01

/** What the statistics of one answer share. */
export interface PreparedAnswer extends ComparedAnswer {
  /** Tokens that every column describes. */
  readonly length: number
  readonly isGreedy: boolean
  /** At which an honest server samples; 1 for greedy answers, whose logits are compared as they are. */
  readonly samplingTemperature: number
  /** The distributions an honest server samples from. */
  readonly sampling: TemperedDistributions
}

export function prepareAnswer(answer: ComparedAnswer): PreparedAnswer {
  const { tokenIds, claimed, reference, top, temperature } = answer
  const positions = Math.min(top.tail.length, top.starts.length - 1)
  const length = Math.max(0, Math.min(tokenIds.length, claimed.length, reference.length, positions))
  const isGreedy = !(temperature >= GREEDY_BELOW)
  const samplingTemperature = isGreedy ? 1 : Math.max(temperature, LEAST_TEMPERATURE)
  return {
    ...answer,
    length,
    isGreedy,
    samplingTemperature,
    sampling: applyTemperature(top, 1 / samplingTemperature),
  }
}
