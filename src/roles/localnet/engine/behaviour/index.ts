export type { Behaviour, BehaviourContext, StreamTrick } from './behaviour.js'
export { BEHAVIOURS, type BehaviourName, behaviourOf } from './catalogue.js'
