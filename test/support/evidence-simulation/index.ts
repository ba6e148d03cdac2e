/** Answers of simulated miners, honest and dishonest, and how many tokens the evidence needs; used by tests and experiments. */

export { calibratedLevels } from './calibrate.js'
export { type Outcome, type RunOptions, runEvidence } from './run.js'
export { type AnswerPlan, createSimulator, type Server, type Simulator } from './simulator.js'
