export type { WeightRules } from './hyperparameters.js'
export { FINNEY_GENESIS, NETWORKS, type Network, type NetworkChoice, networkEndpoints } from './networks.js'
export { planWeights, type WeightPlan } from './plan-weights.js'
export { connectSubtensor, type SubtensorClient, type SubtensorDeps } from './subtensor.js'
export type {
  Axon,
  BlockHead,
  ChainSigner,
  Metagraph,
  Neuron,
  Refusal,
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
  type WeightsStanding,
} from './weights-pipeline.js'
