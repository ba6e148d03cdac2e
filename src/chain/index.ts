/**
 * The Subtensor client: reads subnets, announces axons and sets weights, over endpoints that may fail or lie.
 * The types that this door exports are free of @polkadot, whose declarations do not compile under every tsconfig.
 * Tests named after a behaviour: chain-moves-on.test.ts (hyperparameters.ts, plausibility.ts), submission-faults.test.ts
 * (inclusion.ts, submitter.ts, weights-pipeline.ts), late-extrinsics.test.ts (reconcile-ledger.ts, weights-pipeline.ts),
 * refused-weights.test.ts (weights-ledger.ts, weights-pipeline.ts), ../doctor/miner.test.ts (examine-endpoints.ts), shutdown.test.ts (subtensor.ts, submitter.ts).
 */

export type { SubtensorDeps, SubtensorOptions } from './context.js'
export {
  type EndpointDifference,
  type EndpointReport,
  type EndpointsExamination,
  examineEndpoints,
  type SilentEndpoint,
} from './examine-endpoints.js'
export { FINNEY_GENESIS, NETWORKS, type Network, type NetworkChoice, networkEndpoints } from './networks.js'
export type { ChainRefusal, ServeAxonResult } from './outcomes.js'
export { planWeights, type WeightPlan } from './plan-weights.js'
export type { Subtensor } from './subtensor.js'
export { connectSubtensor, type SubtensorClient } from './subtensor.js'
export type {
  Axon,
  BlockHead,
  ChainSigner,
  Metagraph,
  Neuron,
} from './types.js'
export {
  openWeightsPipeline,
  type WeightsAttemptResult,
  type WeightsChain,
  type WeightsPipeline,
  type WeightsPipelineOptions,
} from './weights-pipeline.js'
export type { SetWeightsResult, WeightEntry, WeightRules, WeightsStatus } from './weights-types.js'
