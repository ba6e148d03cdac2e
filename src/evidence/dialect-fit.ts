import type { NoiseLevels } from './noise.js'
import { DIALECTS, type Dialect, type StatisticObservation, type Synchrony } from './observation.js'
import type { PreparedAnswer } from './prepared-answer.js'
import type { SeedWords } from './samplers/index.js'
import { observeSeeded, synchronyRatio } from './statistics/index.js'

/** Log likelihood ratio that decides: 1,000 to 1. */
const DECISIVE = Math.log(1000)
/** Tokens by which a dialect is looked for; a server that follows one is decisive after twenty to fifty. */
const SEARCHED_TOKENS = 150

export interface DialectFit {
  readonly synchrony: Synchrony
  readonly dialect?: Dialect
  /** S in the dialect that fits, or in the remembered one where the answer is too short to tell. */
  readonly observation?: StatisticObservation | undefined
}

/**
 * Whether the answer follows its seed, and in which dialect: the likelihood that its tokens are the recomputed draws, with
 * generous noise, against drawing independently of the seed. The remembered dialect is tried alone first.
 */
export function fitDialect(
  answer: PreparedAnswer,
  levels: NoiseLevels,
  seed: SeedWords,
  known: Dialect | undefined,
): DialectFit {
  if (known) {
    const { ratio, observation } = observeSeeded(answer, levels, seed, known)
    if (ratio > -DECISIVE)
      return { synchrony: ratio >= DECISIVE ? 'yes' : 'unknown', dialect: known, observation }
  }
  const [best] = DIALECTS.filter((dialect) => dialect !== known)
    .map((dialect) => ({ dialect, ratio: synchronyRatio(answer, seed, dialect, SEARCHED_TOKENS) }))
    .sort((a, b) => b.ratio - a.ratio)
  if (best && best.ratio >= DECISIVE) {
    const { observation } = observeSeeded(answer, levels, seed, best.dialect)
    return { synchrony: 'yes', dialect: best.dialect, observation }
  }
  return { synchrony: known || !best || best.ratio <= -DECISIVE ? 'no' : 'unknown' }
}
