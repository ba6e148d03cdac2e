/**
 * The library: query miners of the subnet from any OpenAI client, verify signed requests, verify answers. Importing it
 * starts nothing and does not load the chain client.
 *
 * @module
 */

import type { Subtensor, SubtensorDeps, SubtensorOptions } from './chain/index.js'

export type {
  Axon,
  BlockHead,
  Metagraph,
  Neuron,
  Subtensor,
  SubtensorDeps,
  SubtensorOptions,
} from './chain/index.js'
export {
  type ConnectedEngine,
  connectEngine,
  type EngineOptions,
  type ReferenceEngine,
} from './engine/index.js'
export {
  type Claim,
  createReplayMemory,
  type DistinctHeaders,
  type EpistulaFetchOptions,
  type EpistulaHeaders,
  epistulaFetch,
  type Refusal,
  type RefusalCode,
  type ReplayGuard,
  signRequest,
  type UnsignedRequest,
  verifyRequest,
} from './epistula/index.js'
export {
  type Answer,
  type AskOptions,
  askMiner,
  type ChatMessage,
  type FetchLimits,
  guardFetch,
  type InferenceRequest,
  listModels,
  type MinerClientOptions,
  type MinerTarget,
  type ModelsAnswer,
  minerClient,
  type OutputToken,
} from './inference/index.js'
export { type Clock, initSr25519, systemClock, TargonError } from './kernel/index.js'
export { CAUSES, type Cause, type RuleSet, type Verdict, verifyAnswer } from './verification/index.js'
export { type HotkeyLocation, loadHotkey, type Signer } from './wallet/index.js'

/** Connects to a Subtensor endpoint. The first call loads the chain client. */
export async function connectSubtensor(options: SubtensorOptions, deps: SubtensorDeps): Promise<Subtensor> {
  const chain = await import('./chain/index.js')
  return chain.connectSubtensor(options, deps)
}
