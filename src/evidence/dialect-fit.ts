import { at } from './distributions.js'
import { flipProbability } from './margins.js'
import { DIALECTS, type Dialect, type Synchrony } from './observation.js'
import type { PreparedAnswer } from './prepared-answer.js'
import type { SeedWords } from './samplers/index.js'
import { eachSeededMargin } from './statistics/index.js'

/** Noise of a server that still follows the seed: far more than any model that resembles the reference. Nats. */
const WIDEST_NOISE = 0.7
/** Share of mismatches that a synchronised server may have at any lead. */
const MISMATCHES = 0.05
/** Log likelihood ratio that decides: 1,000 to 1. */
const DECISIVE = Math.log(1000)

export interface DialectFit {
  readonly synchrony: Synchrony
  readonly dialect: Dialect | undefined
}

/**
 * Whether the answer follows its seed, and in which dialect: the likelihood that its tokens are the recomputed draws, with
 * generous noise, against drawing independently of the seed. The remembered dialect is tried alone first.
 */
export function fitDialect(answer: PreparedAnswer, seed: SeedWords, known: Dialect | undefined): DialectFit {
  if (known) {
    const ratio = synchronyRatio(answer, seed, known)
    if (ratio >= DECISIVE) return { synchrony: 'yes', dialect: known }
    if (ratio > -DECISIVE) return { synchrony: 'unknown', dialect: known }
  }
  let best = { dialect: known, ratio: Number.NEGATIVE_INFINITY }
  for (const dialect of DIALECTS.filter((name) => name !== known)) {
    const ratio = synchronyRatio(answer, seed, dialect)
    if (ratio > best.ratio) best = { dialect, ratio }
  }
  if (best.ratio >= DECISIVE) return { synchrony: 'yes', dialect: best.dialect }
  return { synchrony: known || best.ratio <= -DECISIVE ? 'no' : 'unknown', dialect: undefined }
}

/** Log likelihood ratio of following the seed in this dialect against not following it. */
function synchronyRatio(answer: PreparedAnswer, seed: SeedWords, dialect: Dialect): number {
  let sum = 0
  eachSeededMargin(answer, seed, dialect, (margin, _, winner) => {
    const followed = 1 - Math.min(0.5, flipProbability(margin, WIDEST_NOISE) + MISMATCHES)
    const independent = Math.min(0.999, Math.max(0.001, at(answer.sampling.probabilities, winner)))
    sum += margin.isMismatch ? Math.log((1 - followed) / (1 - independent)) : Math.log(followed / independent)
  })
  return sum
}
