/** The Subtensor client: reads subnets, announces axons and sets weights, over endpoints that may fail or lie. */

export type { SubtensorDeps } from './context.js'
export type { WeightRules } from './hyperparameters.js'
export { FINNEY_GENESIS, NETWORKS, type Network, type NetworkChoice, networkEndpoints } from './networks.js'
export { planWeights, type WeightPlan } from './plan-weights.js'
export { connectSubtensor, type SubtensorClient } from './subtensor.js'
export type {
  Axon,
  BlockHead,
  ChainRefusal,
  ChainSigner,
  Metagraph,
  Neuron,
  ServeAxonResult,
  SetWeightsResult,
  Subtensor,
  SubtensorOptions,
  WeightEntry,
  WeightsStatus,
} from './types.js'
export {
  openWeightsPipeline,
  type WeightsAttemptResult,
  type WeightsChain,
  type WeightsPipeline,
  type WeightsPipelineOptions,
} from './weights-pipeline.js'
