import type { ComparedAnswer } from './compared-answer.js'
import { type DialectFit, fitDialect } from './dialect-fit.js'
import type { NoiseLevels } from './noise.js'
import type { Dialect, Observation, StatisticObservation } from './observation.js'
import { type PreparedAnswer, prepareAnswer } from './prepared-answer.js'
import { seedWords } from './samplers/index.js'
import { observeGreedy, observeResidual, observeSurprise, observeTemperature } from './statistics/index.js'
import { TUNING } from './tuning.js'

/**
 * What one answer says about its server, whatever the miner sent: for every statistic that applies, per level and
 * alternative, the logarithm of a factor that is at most 1 on average for an honest server.
 *
 * @param dialect remembered for this miner and model (`EvidenceBook.dialectOf`), if any
 */
export function observe(
  answer: ComparedAnswer,
  levels: NoiseLevels,
  dialect: Dialect | undefined,
): Observation {
  const prepared = prepareAnswer(answer)
  const seeded = observeSeed(prepared, levels, dialect)
  const statistics = {
    seeded: seeded.observation,
    greedy: observeGreedy(prepared, levels),
    residual: observeResidual(prepared, levels),
    temperature: observeTemperature(prepared, levels),
    surprise: observeSurprise(prepared, levels),
  }
  const present = Object.entries(statistics).flatMap(([name, observation]) =>
    observation ? [[name, bounded(observation)] as const] : [],
  )
  return {
    tokens: prepared.length,
    synchrony: seeded.synchrony,
    ...(seeded.dialect && { dialect: seeded.dialect }),
    statistics: Object.fromEntries(present),
  }
}

/** S only counts against a miner where the answer follows the seed: a miner may change its server. */
function observeSeed(answer: PreparedAnswer, levels: NoiseLevels, known: Dialect | undefined): DialectFit {
  const { seed, isGreedy, isCut } = answer
  if (isGreedy || isCut || !Number.isSafeInteger(seed) || seed === undefined)
    return { synchrony: 'inapplicable' }
  const fit = fitDialect(answer, levels, seedWords(seed), known)
  const { synchrony, observation } = fit
  if (synchrony === 'yes' || !observation) return fit
  const atMostOne = (logFactors: readonly number[]) => logFactors.map((factor) => Math.min(0, factor))
  const { suspicion, enforced } = observation
  return {
    ...fit,
    observation: { ...observation, suspicion: atMostOne(suspicion), enforced: atMostOne(enforced) },
  }
}

const HIGHEST = Math.log(TUNING.answerCap.value)
const LOWEST = Math.log(TUNING.answerFloor.value)

/** Caps what one answer can do to the evidence, in either direction, and drops digits that only cost space. */
function bounded(observation: StatisticObservation): StatisticObservation {
  const cap = (logFactor: number) =>
    Number.isNaN(logFactor) ? 0 : rounded(Math.min(HIGHEST, Math.max(LOWEST, logFactor)))
  const finite = (sum: number) => (Number.isFinite(sum) ? Number(sum.toPrecision(6)) + 0 : 0)
  return {
    tokens: observation.tokens,
    suspicion: observation.suspicion.map(cap),
    enforced: observation.enforced.map(cap),
    sums: observation.sums.map(finite),
  }
}

/** Rounded down, so that rounding is never evidence; adding 0 turns -0, which JSON does not have, into 0. */
function rounded(logFactor: number): number {
  return Math.floor(logFactor * 1e4) / 1e4 + 0
}
