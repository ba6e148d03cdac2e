export type { ModelFacts, Reference, ReferenceEngine, ReferencePosition } from './types.js'
