/** The subnet as the validator knows it: who may validate, whom it may query, and the context its services share. */
export type { ValidatorContext } from './context.js'
export { type EngineState, engineStates, explainMissing, isReady } from './engine-states.js'
export { originOf } from './origin.js'
export { requireRegistration } from './registration.js'
export { createSubnetView, type ServingMiner, type SubnetView } from './subnet-view.js'
