export type { Behaviour, BehaviourContext } from './behaviour.js'
export { BEHAVIOURS, type BehaviourName, behaviourOf } from './catalogue.js'
