/** The address a neuron announced on chain. */
export interface Axon {
  /** Textual IPv4 or IPv6 address, without brackets. */
  readonly ip: string
  readonly port: number
  readonly ipType: 4 | 6
  readonly protocol: number
  readonly version: number
  /** Block of the announcement. */
  readonly block: number
}

export interface Neuron {
  readonly uid: number
  readonly hotkey: string
  readonly coldkey: string
  /** Undefined if never announced, or reset (ip 0). */
  readonly axon: Axon | undefined
  readonly validatorPermit: boolean
  /** Total stake weight in TAO (alpha plus weighted TAO), the S of the metagraph. */
  readonly stakeTao: number
  /** Alpha staked on this subnet. */
  readonly alphaStake: number
  readonly lastUpdateBlock: number
  /** 0..1 */
  readonly incentive: number
  /** 0..1 */
  readonly consensus: number
  /** 0..1 */
  readonly validatorTrust: number
  /** Rao of the last epoch. */
  readonly emissionRao: number
}

/** Immutable snapshot of a subnet at one block. `neurons[uid].uid === uid`. */
export interface Metagraph {
  readonly netuid: number
  readonly block: number
  readonly blockHash: string
  readonly neurons: readonly Neuron[]
  /** Wall-clock milliseconds at which it was read. */
  readonly readAt: number
  find(hotkey: string): Neuron | undefined
}

export interface BlockHead {
  readonly number: number
  readonly hash: string
}

/** The part of the wallet's Signer the chain client needs. */
export interface ChainSigner {
  readonly address: string
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}
