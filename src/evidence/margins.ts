import type { Noise } from './noise.js'

/** One position of an answer: by how much the reference's winner leads. */
export interface Margin {
  /** Nats of logit by which the winner leads each other candidate; only the first `count` entries hold. */
  readonly leads: Float64Array
  count: number
  /** Expected number of unseen tokens whose score lies above the winner's, an upper bound; 0 for greedy answers. */
  unseen: number
  /** Temperature by which logits were divided before the noise of the sampler was added. */
  temperature: number
  /** The miner's token is not the winner. */
  isMismatch: boolean
}

/** Beyond this many scales the tail is below 1e-7 and is left to `unexplained`. */
const FAR = 16

/**
 * Upper bound on the probability that noise of this scale makes another token win: the sum over candidates of the Laplace
 * tail exp(-lead/scale)/2, and over unseen tokens. The scores of unseen tokens are a Poisson process whose intensity d
 * below the winner's score is unseen·e^d, so that unseen·½·s/(T - s) of them are expected to be lifted over it.
 */
export function flipProbability(margin: Margin, scale: number): number {
  const { leads, count, unseen, temperature } = margin
  let sum = 0
  const far = FAR * scale
  for (let index = 0; index < count; index++) {
    const lead = leads[index] ?? 0
    if (lead < far) sum += 0.5 * Math.exp(-lead / scale)
  }
  if (unseen > 0) sum += scale < temperature ? Math.min(1, (unseen * 0.5 * scale) / (temperature - scale)) : 1
  return sum
}

/** Scales of noise, in nats, at which the expected number of mismatches is kept for the estimate. */
export const ESTIMATE_SCALES = [0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1, 2] as const

/** How the alternatives of S and G differ from the null: wider noise, or mismatches whatever the lead. */
const ALTERNATIVES = [
  { factor: 1.5, anywhere: 0 },
  { factor: 3, anywhere: 0 },
  { factor: 8, anywhere: 0 },
  // Another model or prompt: 5 to 25 % of the tokens differ (Token-DiFR's README, measured on vLLM 0.32).
  { factor: 3, anywhere: 0.1 },
] as const

/** Bets on the mismatches of one answer at one level of noise. */
export class MarginBets {
  readonly logFactors: number[] = ALTERNATIVES.map(() => 0)
  readonly #noise: Noise

  constructor(noise: Noise) {
    this.#noise = noise
  }

  /**
   * The factor is q/p at a mismatch and (1-q)/(1-p) at a match, where p bounds the probability of a mismatch for honest
   * servers and q ≥ p is the alternative's: at most 1 on average. A position where honest noise decides bets nothing.
   */
  add(margin: Margin): void {
    const { logitScale, unexplained } = this.#noise
    const p = flipProbability(margin, logitScale) + unexplained
    if (!(p <= 0.5)) return
    for (const [index, { factor, anywhere }] of ALTERNATIVES.entries()) {
      const wide = flipProbability(margin, logitScale * factor) + unexplained
      const q = Math.min(0.9, Math.max(p, wide + anywhere * (1 - wide)))
      const gain = margin.isMismatch ? Math.log(q / p) : Math.log((1 - q) / (1 - p))
      this.logFactors[index] = (this.logFactors[index] ?? 0) + gain
    }
  }
}

/** Mismatches and, per scale of the grid, how many noise of this scale would cause at most. */
export class MarginSums {
  readonly sums: number[] = [0, ...ESTIMATE_SCALES.map(() => 0)]

  add(margin: Margin): void {
    this.sums[0] = (this.sums[0] ?? 0) + (margin.isMismatch ? 1 : 0)
    for (const [index, scale] of ESTIMATE_SCALES.entries())
      this.sums[index + 1] = (this.sums[index + 1] ?? 0) + Math.min(0.5, flipProbability(margin, scale))
  }
}
