import type { EpochConsensus } from './runtime/index.js'

/** A neuron of the genesis block. Its uid is its index in the list. Keys are 32-byte public keys. */
export interface GenesisNeuron {
  readonly hotkey: Uint8Array
  readonly coldkey: Uint8Array
  /** Alpha on the subnet, which is also the total stake in the metagraph. */
  readonly stakeTao?: number
  readonly validatorPermit?: boolean
}

export interface GenesisAccount {
  readonly publicKey: Uint8Array
  readonly balanceTao: number
}

export interface DevelopmentChainOptions {
  /** 0 picks a free port. */
  readonly port?: number
  readonly netuid?: number
  /** Blocks per epoch. */
  readonly tempo?: number
  readonly sealing?: 'interval' | 'manual' | 'auto'
  readonly blockTimeMs?: number
  /** Blocks between the head and the last finalized block; at least 1. */
  readonly finalityLag?: number
  /** Selects the runtime dialect. */
  readonly specVersion?: number
  /** Null consensus needs a spec version that has it. */
  readonly consensus?: EpochConsensus
  /** Accepts 127.0.0.1 and ::1 as axon addresses. */
  readonly allowLoopbackAxon?: boolean
  readonly commitReveal?: boolean
  /** Seconds between two rounds of the chain's randomness beacon. */
  readonly beaconPeriodSeconds?: number
  readonly revealPeriodEpochs?: number
  readonly minAllowedWeights?: number
  readonly weightsSetRateLimit?: number
  readonly servingRateLimit?: number
  readonly weightsVersionKey?: number
  readonly stakeThresholdTao?: number
  /** Fewest uids to which the subnet can be trimmed. */
  readonly minAllowedUids?: number
  readonly maxAllowedUids?: number
  readonly maxAllowedValidators?: number
  readonly neurons?: readonly GenesisNeuron[]
  /** Additional balances. Each coldkey of a neuron owns 100 TAO. */
  readonly accounts?: readonly GenesisAccount[]
  /** Owner of the subnet; none by default. */
  readonly owner?: { readonly hotkey: Uint8Array; readonly coldkey: Uint8Array }
  /** How many blocks before the head stay readable. */
  readonly keptBlocks?: number
}

export type ResolvedOptions = Required<Omit<DevelopmentChainOptions, 'owner'>> &
  Pick<DevelopmentChainOptions, 'owner'>

const DEFAULTS = {
  port: 0,
  netuid: 4,
  tempo: 30,
  sealing: 'interval',
  blockTimeMs: 1000,
  finalityLag: 2,
  specVersion: 425,
  consensus: 'Yuma',
  allowLoopbackAxon: false,
  commitReveal: false,
  beaconPeriodSeconds: 3,
  revealPeriodEpochs: 1,
  minAllowedWeights: 1,
  weightsSetRateLimit: 3,
  servingRateLimit: 2,
  weightsVersionKey: 0,
  stakeThresholdTao: 0,
  minAllowedUids: 1,
  maxAllowedUids: 256,
  maxAllowedValidators: 128,
  neurons: [],
  accounts: [],
  keptBlocks: 2400,
} as const

/** Fills in the defaults, also for options that are undefined. */
export function resolveOptions(options: DevelopmentChainOptions): ResolvedOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { ...DEFAULTS, ...given }
}
