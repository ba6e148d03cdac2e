/**
 * The runtime as data: pallets, runtime APIs and transaction extensions of each supported generation of Subtensor.
 * Tests named after a behaviour: ../metadata/conformance.test.ts (apis.ts, commitments.ts, pallets.ts, dialects.ts, error-indexes.ts,
 * extensions.ts, metagraph-types.ts, neuron-types.ts, outcome-types.ts, subnet-types.ts, subtensor.ts, subtensor-errors.ts, system.ts, types.ts).
 */
export { type Dialect, dialectOf } from './dialects.js'
export { drand } from './drand.js'
export {
  decodeExtra,
  implicitType,
  type MortalEra,
  type SignedExtra,
  type SignedImplicit,
} from './extensions.js'
export { type Hyperparameters, type Metagraph, SELECTIVE_FIELDS } from './metagraph-types.js'
export { type EpochConsensus, type NeuronInfo, type NeuronInfoLite, NO_AXON } from './neuron-types.js'
export { createRuntime, type Runtime, type RuntimeCall, type RuntimeEvent } from './runtime.js'
export type { DynamicInfo, SubnetInfo, SubnetState } from './subnet-types.js'
export { type CallArguments, type SubtensorCall, type SubtensorEvent, subtensor } from './subtensor.js'
export type { SubtensorError } from './subtensor-errors.js'
export { balances, system, timestamp } from './system.js'
export { digestItem, header, multiAddress, multiSignature } from './types.js'
