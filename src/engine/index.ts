/**
 * A validator's reference engines: connects to vLLM servers, or runs them as containers, and scores answers. Tests named
 * after a behaviour: connect-engine.test.ts (engine-calls.ts, engine-discovery.ts, probe.ts, server.ts, types.ts),
 * replaced-engine.test.ts (replica.ts), server-view.test.ts (server-description.ts).
 */
export { type ConnectedEngine, connectEngine, type EngineOptions } from './connect-engine.js'
export { type EngineEndpoint, parseEngineEndpoints } from './endpoints.js'
export { createEngineSet, type EngineSet, type EngineSetOptions } from './engine-set.js'
export {
  type Absence,
  bytesToMib,
  containerSlug,
  DockerClient,
  type DockerDescription,
  Fleet,
  type FleetOptions,
  findNvidiaSmi,
  type Gpu,
  parseGpus,
  placeModel,
  planFleet,
  type RefreshReason,
  type RegistryLogin,
  readGpus,
  weightBytes,
} from './fleet/index.js'
export { readModelFiles } from './model-files.js'
export { type OpenedEngine, openEngine, openReadyEngine } from './open-engine.js'
export { insertsDate } from './template-date.js'
export type {
  EngineServerView,
  ModelFacts,
  Reference,
  ReferenceEngine,
  ReferencePosition,
  SamplingDefaults,
  ScoreRequest,
  TokenizeOptions,
} from './types.js'
