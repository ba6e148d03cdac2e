export type { Extension, RuntimeApi } from '../metadata/index.js'
export { type Dialect, dialectOf } from './dialects.js'
export { drand } from './drand.js'
export type { SubtensorError } from './errors.js'
export {
  decodeExtra,
  implicitType,
  type MortalEra,
  type SignedExtra,
  type SignedImplicit,
} from './extensions.js'
export {
  type Hyperparameters,
  METAGRAPH_FIELDS,
  type Metagraph,
} from './metagraph-types.js'
export { type AxonInfo, type NeuronInfoLite, NO_AXON } from './neuron-types.js'
export {
  type CallOf,
  createRuntime,
  type EventOf,
  type Runtime,
  type RuntimeCall,
  type RuntimeEvent,
  type RuntimeParameters,
} from './runtime.js'
export type { CallArguments, CallName, SubtensorCall } from './subtensor-calls.js'
export type { SubtensorEvent } from './subtensor-events.js'
export { subtensor } from './subtensor-storage.js'
export { balances, system, timestamp } from './system.js'
export { digestItem, header, multiAddress, multiSignature } from './types.js'
