/**
 * Runs a validator's engines as containers on this host. Tests named after a behaviour: fleet.test.ts (engine-containers.ts,
 * engine-replacements.ts, engine-watches.ts, health.ts, model-size.ts, pull-progress.ts), docker-client.test.ts (docker-http.ts, docker-error.ts, image-pull.ts).
 */
export { containerSlug } from './container.js'
export { DockerClient, type DockerDescription } from './docker-client.js'
export { type Absence, Fleet, type FleetOptions, type RefreshReason } from './fleet.js'
export { findNvidiaSmi, type Gpu, parseGpus, placeModel, readGpus } from './gpu.js'
export type { OnEngineProgress } from './health.js'
export type { RegistryLogin } from './image-pull.js'
export { bytesToMib, weightBytes } from './model-size.js'
export { planFleet } from './plan.js'
