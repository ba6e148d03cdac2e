/** Scores from results and weights from scores, by the rules of 4.4.1, and the score book on disk. */

export { normalize, type Result, safeMeanScore, sigmoid, WINDOW } from './arithmetic.js'
export { type Cache4, readCache4 } from './cache4.js'
export {
  type MinerRecord,
  type OrganicBounds,
  rawScore,
  type SatOutWorth,
  ScoreBook,
  type ScoreBookData,
} from './score-book.js'
export { type LoadedScores, openScoreFile, type ScoreFile } from './score-file.js'
export { type ScoringRules, type WeightVector, weightsFrom } from './weights.js'
