export { createResultsSink, noteNotServing } from './results-sink.js'
export { openScores, type Scores } from './scores.js'
export { createStandings, type Standing, type Standings } from './standings.js'
