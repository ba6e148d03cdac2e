export type { WeightRules } from './hyperparameters.js'
export { FINNEY_GENESIS, NETWORKS, type Network, type NetworkChoice, networkEndpoints } from './networks.js'
export { planWeights, type WeightPlan } from './plan-weights.js'
export { connectSubtensor, type SubtensorClient, type SubtensorDeps } from './subtensor.js'
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
} from './types.js'
export {
  openWeightsPipeline,
  type WeightsAttemptResult,
  type WeightsChain,
  type WeightsPipeline,
  type WeightsPipelineOptions,
  type WeightsStatus,
} from './weights-pipeline.js'
