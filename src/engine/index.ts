export type {
  ModelFacts,
  Reference,
  ReferenceEngine,
  ReferencePosition,
  ScoreRequest,
  TokenizeOptions,
} from './types.js'
