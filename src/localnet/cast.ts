import { createHash } from 'node:crypto'

/** What an engine of the localnet does; everything but `honest` is a cheat. */
export type Behaviour = 'honest' | 'other-model' | 'made-up-logprobs' | 'empty-padding' | 'generate-first'

/** One miner of the localnet and the engine behind it. */
export interface CastMember {
  /** Also the name of its hotkey file. */
  readonly name: string
  readonly behaviour: Behaviour
  readonly models: readonly string[]
  readonly tokensPerSecond: number
}

/** The models of the localnet; two, so that the miner serving both earns for both. */
export const LOCALNET_MODELS = ['targon-dev/small-a', 'targon-dev/small-b'] as const

const [first, second] = LOCALNET_MODELS

/**
 * Honest speeds lie at least 1.5× apart in what they earn (`honest-both` is paid per model), so that the order of
 * the weights is the order of the speeds on any machine.
 */
export const CAST: readonly CastMember[] = [
  { name: 'honest-fast', behaviour: 'honest', models: [first], tokensPerSecond: 160 },
  { name: 'honest-medium', behaviour: 'honest', models: [first], tokensPerSecond: 100 },
  { name: 'honest-slow', behaviour: 'honest', models: [first], tokensPerSecond: 62 },
  { name: 'honest-both', behaviour: 'honest', models: [first, second], tokensPerSecond: 130 },
  { name: 'cheat-other-model', behaviour: 'other-model', models: [first], tokensPerSecond: 240 },
  { name: 'cheat-logprobs', behaviour: 'made-up-logprobs', models: [first], tokensPerSecond: 240 },
  { name: 'cheat-padding', behaviour: 'empty-padding', models: [first], tokensPerSecond: 300 },
  // slow, so that its burst at the end stays short beside the wait before it, on a busy machine too
  { name: 'cheat-burst', behaviour: 'generate-first', models: [first], tokensPerSecond: 60 },
]

export const VALIDATOR_NAME = 'validator'
export const WALLET_NAME = 'localnet'

/** 32-byte secret of a key of the localnet: the same for the same seed, worthless anywhere else. */
export function deriveSecret(seed: string, keyName: string): Uint8Array {
  return createHash('sha256').update(`targon localnet/${seed}/${keyName}`).digest()
}
