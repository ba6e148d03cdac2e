/**
 * The ways an engine can cheat (behaviours) and fail (faults). Tests named after a behaviour: behaviours.test.ts
 * (catalogue.ts, hostile-bytes.ts, untrue-lengths.ts, untrue-tokens.ts).
 */
export type { Behaviour } from './behaviour.js'
export { BEHAVIOURS, type BehaviourName, behaviourOf } from './catalogue.js'
export { ENGINE_FAULTS, type EngineFault, FAULT_SUMMARIES } from './faults.js'
