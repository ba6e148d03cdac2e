export type { Behaviour } from './behaviour.js'
export { BEHAVIOURS, type BehaviourName, behaviourOf } from './catalogue.js'
