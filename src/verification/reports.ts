import { at, type Bounds, logprobAtTemperature, type TemperedDistributions } from '../evidence/index.js'
import { distributionsAt, type PreparedAnswer } from './answer-comparison.js'
import { type Cut, defaultCut, isCutting, keptShare, NO_CUT } from './cuts.js'

/** One way in which a server may report logprobs. */
export interface Report {
  readonly name: 'raw' | 'scaled' | 'truncated'
  /** Temperature of the reported logprobs; 1 for raw ones. */
  readonly temperature: number
  /** Undefined: those of the reference. */
  readonly distributions: TemperedDistributions | undefined
  readonly cut: Cut | undefined
}

/** Values of top_p that operators set with `--override-generation-config`, whatever the model's files say. */
const OPERATORS_CUTS: readonly Cut[] = [0.95, 0.9, 0.8].map((topP) => ({ ...NO_CUT, topP }))

/**
 * The ways in which an honest server of this model may report the answer's logprobs, the usual first: raw (vLLM's V1),
 * scaled by the temperature, and those of the truncated distribution (V0, and V1 with `--logprobs-mode
 * processed_logprobs`), where top_p, top_k and min_p are those of generation_config.json unless the request rules them out. Greedy answers are reported raw by
 * every engine.
 */
export function* reportsOf(answer: PreparedAnswer): Generator<Report> {
  const { temperature, referenceTemperature, facts, mayBeCut } = answer
  const raw = referenceTemperature === 1 ? undefined : distributionsAt(answer, referenceTemperature)
  yield { name: 'raw', temperature: 1, distributions: raw, cut: undefined }
  if (temperature <= 0) return
  const distributions = scaledDistributions(answer)
  yield { name: 'scaled', temperature, distributions, cut: undefined }
  const cut = defaultCut(facts)
  if (mayBeCut && isCutting(cut)) yield { name: 'truncated', temperature, distributions, cut }
}

/** The same for a server whose operator truncates by a usual top_p of its own. */
export function* operatorsReportsOf(answer: PreparedAnswer): Generator<Report> {
  const { temperature, mayBeCut } = answer
  if (temperature <= 0 || !mayBeCut) return
  const distributions = scaledDistributions(answer)
  for (const cut of OPERATORS_CUTS) yield { name: 'truncated', temperature, distributions, cut }
}

function scaledDistributions(answer: PreparedAnswer): TemperedDistributions {
  return distributionsAt(answer, answer.referenceTemperature / answer.temperature)
}

/**
 * Bounds on the logprob that a server reports for the answer's token at this position. `noise` is that of a raw logit, in
 * nats: it moves tokens across the edge of a cut.
 */
export function reportedLogprob(
  answer: PreparedAnswer,
  { distributions, cut }: Report,
  position: number,
  noise: number,
): Bounds {
  const raw = at(answer.logprobs, position)
  if (!distributions) return { low: raw, high: raw }
  const { low, high } =
    distributions.exponent === 1
      ? { low: raw, high: raw }
      : logprobAtTemperature(raw, distributions, position)
  if (!cut) return { low, high }
  const kept = keptShare(answer.top, distributions, position, cut, noise)
  return { low: Math.min(0, low - Math.log(kept.high)), high: Math.min(0, high - Math.log(kept.low)) }
}
