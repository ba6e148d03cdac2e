import { createHash } from 'node:crypto'
import type { BehaviourName } from '../engine/index.js'

/** One miner of the localnet and the engine behind it. */
export interface CastMember {
  /** Also the name of its hotkey file. */
  readonly name: string
  /** Every behaviour other than `honest` is a cheat. */
  readonly behaviour: BehaviourName
  readonly models: readonly string[]
  readonly tokensPerSecond: number
}

/** Two models, so that the miner serving both earns for both. */
export const LOCALNET_MODELS = ['targon-dev/small-a', 'targon-dev/small-b'] as const

const [first, second] = LOCALNET_MODELS

/**
 * The honest miners' earnings differ by a factor of at least 1.5 (`honest-both` is paid per model), so that weights
 * rank them by speed on any machine.
 */
export const CAST: readonly CastMember[] = [
  { name: 'honest-fast', behaviour: 'honest', models: [first], tokensPerSecond: 160 },
  { name: 'honest-medium', behaviour: 'honest', models: [first], tokensPerSecond: 100 },
  { name: 'honest-slow', behaviour: 'honest', models: [first], tokensPerSecond: 62 },
  { name: 'honest-both', behaviour: 'honest', models: [first, second], tokensPerSecond: 130 },
  { name: 'cheat-other-model', behaviour: 'other-model', models: [first], tokensPerSecond: 240 },
  { name: 'cheat-logprobs', behaviour: 'made-up-logprobs', models: [first], tokensPerSecond: 240 },
  { name: 'cheat-padding', behaviour: 'empty-padding', models: [first], tokensPerSecond: 300 },
  // slow, so that even on a busy machine its final burst is short compared with the wait before it
  { name: 'cheat-burst', behaviour: 'generate-first', models: [first], tokensPerSecond: 60 },
]

export const VALIDATOR_NAME = 'validator'
export const WALLET_NAME = 'localnet'
/** The key that owns every neuron. */
export const COLDKEY_NAME = 'coldkey'

/** Hotkey names by uid: the validator is uid 0. */
export const HOTKEY_NAMES = [VALIDATOR_NAME, ...CAST.map((member) => member.name)]

/** The 32-byte secret of a localnet key. The same seed gives the same key; it is worthless on any other chain. */
export function deriveSecret(seed: string, keyName: string): Uint8Array {
  return createHash('sha256').update(`targon localnet/${seed}/${keyName}`).digest()
}
