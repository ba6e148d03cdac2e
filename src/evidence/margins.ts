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

/** Beyond this many scales the tail of the null is below 1e-7 and is left to `unexplained` … */
const FAR = 16
/** … and that of an alternative or an estimate below 1.3e-3, where precision only costs time. */
const FAR_ENOUGH = 6
/** The bound for unseen tokens holds for noise below this share of the temperature. */
const WIDEST_SHARE = 0.8

/**
 * Upper bound on the probability that noise of this scale makes another token win: the sum over candidates of the Laplace
 * tail exp(-lead/scale)/2, and over unseen tokens. The scores of unseen tokens are a Poisson process whose intensity d
 * below the winner's score is unseen·e^d, so that unseen·½·s/(T - s) of them are expected to be lifted over it. From
 * `WIDEST_SHARE` of the temperature on it is only an approximation, for alternatives.
 */
export function flipProbability(margin: Margin, scale: number, far = FAR_ENOUGH): number {
  const { leads, count, unseen, temperature } = margin
  let sum = 0
  const farLead = far * scale
  for (let index = 0; index < count; index++) {
    const lead = leads[index] ?? 0
    if (lead < farLead) sum += 0.5 * Math.exp(-lead / scale)
  }
  if (unseen <= 0) return sum
  const spare = Math.max(temperature - scale, (1 - WIDEST_SHARE) * temperature)
  return sum + Math.min(1, (unseen * 0.5 * scale) / spare)
}

/** Scales of noise, in nats, at which the expected number of mismatches is kept for the estimate. */
export const ESTIMATE_SCALES = [0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1, 2] as const

/** Alternatives of S and G: wider noise by these factors … */
const FACTORS = [1.5, 3, 8] as const
/** … and mismatches at any lead: 5 to 25 % of the tokens differ with another prompt or model (Token-DiFR; vLLM 0.32). */
const ANYWHERE = 0.1

/** Bets on the mismatches of one answer at one level of noise. */
export class MarginBets {
  readonly logFactors: number[] = new Array<number>(FACTORS.length + 1).fill(0)
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
    const { temperature, unseen, isMismatch } = margin
    if (unseen > 0 && logitScale > WIDEST_SHARE * temperature) return
    const p = flipProbability(margin, logitScale, FAR) + unexplained
    if (!(p <= 0.5)) return
    for (const [index, factor] of FACTORS.entries())
      this.#bet(index, p, flipProbability(margin, logitScale * factor) + unexplained, isMismatch)
    this.#bet(FACTORS.length, p, p + ANYWHERE, isMismatch)
  }

  #bet(index: number, p: number, alternative: number, isMismatch: boolean): void {
    const q = Math.min(0.9, Math.max(p, alternative))
    const gain = isMismatch ? Math.log(q / p) : Math.log((1 - q) / (1 - p))
    this.logFactors[index] = (this.logFactors[index] ?? 0) + gain
  }
}

/** A lead is far when noise of this scale overtakes it in less than one case in a thousand. */
const FAR_SCALE = 0.25
const FAR_PROBABILITY = 1e-3

/** The sums of S and G: mismatches, per scale of the grid how many of them noise of this scale causes, and those at far leads. */
export class MarginSums {
  readonly sums: number[] = new Array<number>(ESTIMATE_SCALES.length + 3).fill(0)

  add(margin: Margin): void {
    const add = (index: number, value: number) => {
      this.sums[index] = (this.sums[index] ?? 0) + value
    }
    add(0, margin.isMismatch ? 1 : 0)
    for (const [index, scale] of ESTIMATE_SCALES.entries())
      add(index + 1, Math.min(0.5, flipProbability(margin, scale)))
    if (flipProbability(margin, FAR_SCALE) >= FAR_PROBABILITY) return
    add(ESTIMATE_SCALES.length + 1, 1)
    if (margin.isMismatch) add(ESTIMATE_SCALES.length + 2, 1)
  }
}

export interface MarginTotals {
  readonly mismatches: number
  /** Per scale of the grid. */
  readonly expected: readonly number[]
  /** Tokens at far leads, and mismatches among them. */
  readonly far: number
  readonly farMismatches: number
}

export function readMarginSums([mismatches = 0, ...rest]: readonly number[]): MarginTotals {
  const expected = rest.slice(0, ESTIMATE_SCALES.length)
  const [far = 0, farMismatches = 0] = rest.slice(ESTIMATE_SCALES.length)
  return { mismatches, expected, far, farMismatches }
}
