/** A neuron of the genesis block; its place in the list is its uid. Keys are 32-byte public keys. */
export interface GenesisNeuron {
  readonly hotkey: Uint8Array
  readonly coldkey: Uint8Array
  /** Alpha on the subnet, which is also the total stake of the metagraph. */
  readonly stakeTao?: number
  readonly validatorPermit?: boolean
}

export interface GenesisAccount {
  readonly publicKey: Uint8Array
  readonly balanceTao: number
}

export interface DevelopmentChainOptions {
  /** 0 takes a free one. */
  readonly port?: number
  readonly netuid?: number
  /** Blocks of an epoch. */
  readonly tempo?: number
  readonly sealing?: 'interval' | 'manual' | 'auto'
  readonly blockTimeMs?: number
  /** Blocks between the head and the last final one; at least 1. */
  readonly finalityLag?: number
  /** Spec version of the runtime dialect. */
  readonly specVersion?: number
  /** Lets 127.0.0.1 and ::1 pass as axon addresses. */
  readonly allowLoopbackAxon?: boolean
  readonly commitReveal?: boolean
  /** Seconds between two rounds of the chain's own randomness beacon; 3 as drand quicknet. */
  readonly beaconPeriodSeconds?: number
  readonly revealPeriodEpochs?: number
  readonly minAllowedWeights?: number
  readonly weightsSetRateLimit?: number
  readonly servingRateLimit?: number
  readonly weightsVersionKey?: number
  readonly stakeThresholdTao?: number
  readonly maxAllowedUids?: number
  readonly maxAllowedValidators?: number
  readonly neurons?: readonly GenesisNeuron[]
  /** Accounts with a balance; the coldkeys of the neurons have 100 TAO each anyway. */
  readonly accounts?: readonly GenesisAccount[]
  /** Owner of the subnet; nobody by default. */
  readonly owner?: { readonly hotkey: Uint8Array; readonly coldkey: Uint8Array }
  /** Blocks back whose state stays readable. */
  readonly keptBlocks?: number
}

export type ResolvedOptions = Required<Omit<DevelopmentChainOptions, 'owner'>> &
  Pick<DevelopmentChainOptions, 'owner'>

export const DEFAULTS = {
  port: 0,
  netuid: 4,
  tempo: 30,
  sealing: 'interval',
  blockTimeMs: 1000,
  finalityLag: 2,
  specVersion: 425,
  allowLoopbackAxon: false,
  commitReveal: false,
  beaconPeriodSeconds: 3,
  revealPeriodEpochs: 1,
  minAllowedWeights: 1,
  weightsSetRateLimit: 3,
  servingRateLimit: 2,
  weightsVersionKey: 0,
  stakeThresholdTao: 0,
  maxAllowedUids: 256,
  maxAllowedValidators: 128,
  neurons: [],
  accounts: [],
  keptBlocks: 2400,
} as const

/** Fills in defaults. An option given as undefined counts as not given. */
export function resolveOptions(options: DevelopmentChainOptions): ResolvedOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return { ...DEFAULTS, ...given }
}
