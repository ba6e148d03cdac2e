/**
 * The ways an engine can cheat (behaviours) and fail (faults). Tests named after a behaviour: behaviours.test.ts
 * (catalogue.ts, hostile-bytes.ts, untrue-lengths.ts, untrue-tokens.ts), cheats.test.ts (cheat.ts, occasion.ts),
 * ../evidence.test.ts (catalogue.ts).
 */
export type { Behaviour } from './behaviour.js'
export { BEHAVIOURS, type BehaviourName, behaviourOf, HONEST } from './catalogue.js'
export { behaviourOfCheat, type Cheat } from './cheat.js'
export { ENGINE_FAULTS, type EngineFault, FAULT_SUMMARIES } from './faults.js'
export { isOccasion } from './occasion.js'
