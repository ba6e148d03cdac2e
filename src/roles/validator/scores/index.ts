/** Scores of the miners: the score book with its file, and the verdicts that change it. */
export { createSaver } from './saver.js'
export { type Settled, scoreResults } from './score-results.js'
export { openScores, type Scores } from './scores.js'
export { createVerdictCounts, type MinerVerdicts, type VerdictCounts } from './verdict-counts.js'
