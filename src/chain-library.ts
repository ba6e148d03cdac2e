/**
 * The sub-path `targon/chain`: the Subtensor client of the library. Importing it loads the chain client.
 *
 * @module
 */

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
  SubtensorDeps,
  SubtensorOptions,
  WeightEntry,
} from './chain/index.js'
export { FINNEY_GENESIS, NETWORKS, type Network } from './chain/index.js'

import {
  connectSubtensor as connect,
  type Subtensor,
  type SubtensorDeps,
  type SubtensorOptions,
} from './chain/index.js'

/**
 * Connects to the first endpoint that responds and keeps the connection alive from then on.
 *
 * @throws TargonError CHAIN_UNREACHABLE (fault unreachable), CHAIN_WRONG_NETWORK (fault chain)
 */
export function connectSubtensor(options: SubtensorOptions, deps: SubtensorDeps): Promise<Subtensor> {
  return connect(options, deps)
}
