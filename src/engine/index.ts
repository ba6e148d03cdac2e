export { type ConnectedEngine, connectEngine, type EngineOptions } from './connect-engine.js'
export { type EngineEndpoint, parseEngineEndpoints } from './endpoints.js'
export type {
  ModelFacts,
  Reference,
  ReferenceEngine,
  ReferencePosition,
  ScoreRequest,
  TokenizeOptions,
} from './types.js'
