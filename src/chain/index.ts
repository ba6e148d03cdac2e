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
