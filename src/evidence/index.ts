/**
 * What a miner's answers show together that one answer cannot: statistics with a mean of at most 1 for every honest server,
 * multiplied over answers until they alarm. Pure arithmetic: bytes, clocks and files stay outside. Tests named after a
 * behaviour: observe.property.test.ts (statistics/residual.ts, statistics/greedy.ts, statistics/seeded.ts,
 * statistics/temperature.ts, statistics/surprise.ts, margins.ts, observation.ts, observe.ts), evidence-book.test.ts (standing.ts,
 * assess-standing.ts, estimates.ts, book-data.ts, detector.ts), tuning.simulation.test.ts (noise.ts, calibration.ts).
 */
export { type Bar, type EvidenceBookData, evidenceBookData } from './book-data.js'
export { type MeasuredNoise, measureNoise } from './calibration.js'
export type { ComparedAnswer } from './compared-answer.js'
export {
  applyTemperature,
  at,
  type Bounds,
  type Column,
  findToken,
  likeliestLogprob,
  logprobAtTemperature,
  type TemperedDistributions,
  type TopTokens,
} from './distributions.js'
export { type Estimate, type HonestBand, honestBands } from './estimates.js'
export { type AnswerSource, EvidenceBook, type EvidenceChange, type EvidenceRules } from './evidence-book.js'
export { DEFAULT_FLOORS, type Noise, type NoiseLevels, noiseLevels } from './noise.js'
export {
  DIALECTS,
  type Dialect,
  type Observation,
  observationSchema,
  STATISTICS,
  type Statistic,
  type StatisticObservation,
  type Synchrony,
} from './observation.js'
export { observe } from './observe.js'
export { describeEstimate } from './sentence.js'
export type { Standing, StandingLevel, StatisticStanding } from './standing.js'
export { alarmThreshold } from './threshold.js'
export { TUNING as EVIDENCE_TUNING } from './tuning.js'
