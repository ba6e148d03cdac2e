/** The five statistics, one per file: what each token says, and what noise of a level may cause at most. */
export { observeGreedy } from './greedy.js'
export { observeResidual } from './residual.js'
export { observeSeeded, type SeededObservation, synchronyRatio } from './seeded.js'
export { observeSurprise } from './surprise.js'
export { observeTemperature } from './temperature.js'
