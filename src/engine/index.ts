export { type ConnectedEngine, connectEngine, type EngineOptions } from './connect-engine.js'
export { type EngineEndpoint, parseEngineEndpoints } from './endpoints.js'
export { createEngineSet, type EngineSet, type EngineSetOptions } from './engine-set.js'
export {
  bytesToMib,
  type Container,
  containerName,
  containerSlug,
  createDockerClient,
  createFleet,
  type DockerClient,
  type Fleet,
  type FleetOptions,
  type FleetPlan,
  type FleetState,
  type Gpu,
  parseGpus,
  placeModel,
  planFleet,
  weightBytes,
} from './fleet/index.js'
export type {
  ModelFacts,
  Reference,
  ReferenceEngine,
  ReferencePosition,
  ScoreRequest,
  TokenizeOptions,
} from './types.js'
