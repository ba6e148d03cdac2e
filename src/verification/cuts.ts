import type { ModelFacts } from '../engine/index.js'
import { at, type Bounds, type TemperedDistributions, type TopTokens } from '../evidence/index.js'
import type { AnswerComparison } from './answer-comparison.js'
import { THRESHOLDS } from './thresholds.js'

/** How a server truncates a distribution before it samples from it. */
export interface Cut {
  readonly topP: number
  readonly topK: number
  readonly minP: number
}

export const NO_CUT: Cut = { topP: 1, topK: Number.POSITIVE_INFINITY, minP: 0 }

/** The cut that current vLLM applies to requests without one: that of the model's generation_config.json. */
export function defaultCut({ samplingDefaults }: ModelFacts): Cut {
  return { ...NO_CUT, ...samplingDefaults }
}

/**
 * The hardest cut that an honest server may apply: none where the request rules them out, otherwise that of the thresholds,
 * or the model's own where it is harder.
 */
export function hardestCut({ facts, mayBeCut }: Pick<AnswerComparison, 'facts' | 'mayBeCut'>): Cut {
  if (!mayBeCut) return NO_CUT
  const { topP, topK, minP } = defaultCut(facts)
  return {
    topP: Math.min(topP, THRESHOLDS.hardestTopP.value),
    topK: Math.min(topK, THRESHOLDS.hardestTopK.value),
    minP,
  }
}

export function isCutting({ topP, topK, minP }: Cut): boolean {
  return topP < 1 || topK < Number.POSITIVE_INFINITY || minP > 0
}

/**
 * Share of the probability that survives a cut. Noise, in nats of a raw logit, moves the edge of the cut either way; without
 * it, both bounds are the same unless the cut ends in the unseen tail.
 */
export function keptShare(
  top: TopTokens,
  distributions: TemperedDistributions,
  position: number,
  cut: Cut,
  noise: number,
): Bounds {
  const start = at(top.starts, position)
  const end = at(top.starts, position + 1)
  if (start === end) return { low: 1, high: 1 }
  const share = (shift: number) => {
    const kept = keptCount(top, distributions, position, cut, shift)
    let sum = 0
    for (let entry = start; entry < start + kept; entry++) sum += at(distributions.probabilities, entry)
    return { sum, isOpen: kept === end - start && cut.topK > kept }
  }
  const { exponent } = distributions
  const most = share(noise * exponent)
  return { low: share(-noise * exponent).sum, high: most.isOpen ? 1 : most.sum }
}

/** How many of the top tokens survive a cut whose edge is moved by `shift` nats; at least one. */
export function keptCount(
  { starts }: TopTokens,
  { probabilities }: TemperedDistributions,
  position: number,
  { topP, topK, minP }: Cut,
  shift: number,
): number {
  const start = at(starts, position)
  const last = Math.min(at(starts, position + 1), start + topK)
  // vLLM applies top_k first, and top_p to what it leaves.
  let whole = topK > at(starts, position + 1) - start ? 1 : 0
  if (whole === 0) for (let entry = start; entry < last; entry++) whole += at(probabilities, entry)
  const enough = topP < 1 ? shiftOdds(topP, shift) * whole : Number.POSITIVE_INFINITY
  const least = minP * at(probabilities, start) * Math.exp(-shift)
  let before = at(probabilities, start)
  let entry = start + 1
  for (; entry < last && before < enough && at(probabilities, entry) >= least; entry++)
    before += at(probabilities, entry)
  return Math.min(entry, last) - start
}

/** The probability whose log-odds are `shift` higher. */
function shiftOdds(probability: number, shift: number): number {
  const odds = (probability / (1 - probability)) * Math.exp(shift)
  return odds / (1 + odds)
}
