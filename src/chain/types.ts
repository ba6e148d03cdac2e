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

/** One `(uid, weight)` as the chain stores it: weights from 0 to 65535, the largest always 65535. */
export interface WeightEntry {
  readonly uid: number
  readonly weightU16: number
}

/** Scores to submit, and how. */
export interface WeightsRequest {
  readonly netuid: number
  readonly uids: readonly number[]
  readonly scores: readonly number[]
  readonly versionKey: number
  /**
   * Nonce to sign with, read at the block of the decision: the chain accepts only one extrinsic per nonce. By default the
   * next one after everything in the pool.
   */
  readonly nonce?: number
  /** First block of the next epoch, in which the extrinsic must not land. */
  readonly untilBlock?: number
  /** Awaited between signing and sending, so that a record of the attempt survives a crash. */
  readonly onSigned?: (attempt: SignedAttempt) => Promise<void>
}

/** A submission about to be sent. */
export interface SignedAttempt {
  readonly hash: string
  readonly nonce: number
  readonly path: 'direct' | 'commit'
  readonly entries: readonly WeightEntry[]
}

/** What the chain shows about the weights of a hotkey, at one block. */
export interface WeightsStatus {
  readonly block: number
  /** Undefined when the hotkey is not registered. */
  readonly uid: number | undefined
  readonly lastUpdateBlock: number
  readonly rateLimitBlocks: number
  /** Nonce of the account in the state of this block. */
  readonly nonce: number
}

export type ServeAxonResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'served'; readonly blockHash: string }
  | { readonly kind: 'refused'; readonly refusal: ChainRefusal }

export type SetWeightsResult =
  | {
      readonly kind: 'set'
      readonly block: number
      readonly path: 'direct' | 'commit'
      /** Hash of the extrinsic. */
      readonly hash: string
      /** The vector as submitted. */
      readonly entries: readonly WeightEntry[]
      /** For path `commit`: the first block at which the chain reveals the vector, and its beacon round. */
      readonly revealBlock?: number
      readonly revealRound?: number
    }
  | {
      /** Nothing was submitted and the chain keeps its last vector. */
      readonly kind: 'skipped'
      readonly reason: 'nothing-scorable' | 'too-few-weights'
    }
  | { readonly kind: 'refused'; readonly refusal: ChainRefusal }
  | { readonly kind: 'unconfirmed'; readonly reason: string }

/** Why an extrinsic was not accepted or not sent, classed by what to do about it (refusal.ts). */
export interface ChainRefusal {
  readonly class:
    | 'too-fast'
    | 'version-key'
    | 'no-permit'
    | 'stake'
    | 'not-registered'
    | 'commit-reveal-mismatch'
    | 'commit-reveal-version'
    | 'bad-reveal-round'
    | 'bad-vector'
    | 'bad-axon'
    | 'stale'
    /** Nothing was sent: the extrinsic could have landed in the next epoch. */
    | 'window-closing'
    /** Nothing was sent: the configured endpoints disagree. */
    | 'endpoints-differ'
    /** Nothing was sent: the endpoint shows an impossible change of the subnet. */
    | 'implausible'
    | 'other'
  /** Name of the dispatch error, or a pool error such as `pool 1010 custom 6`. */
  readonly name: string
  readonly detail: string
}

/**
 * The chain client of a node. Every call has a deadline and honours the signal.
 *
 * @throws TargonError CHAIN_UNREACHABLE (fault unreachable) when no endpoint responds in time.
 */
export interface Subtensor {
  readonly endpoint: string
  readonly genesisHash: string
  readonly specVersion: number
  /** How often the connection was replaced. */
  readonly reconnects: number
  /** Milliseconds by which the local clock is at least ahead of the chain, negative if behind; 0 while they agree. */
  readonly clockOffsetMs: number
  head(): BlockHead
  /** New heads with strictly increasing numbers: gaps are possible, repeats and re-orgs are hidden. Ends with the signal. */
  blocks(signal: AbortSignal): AsyncIterable<BlockHead>
  /** @throws TargonError CHAIN_IMPLAUSIBLE when it cannot follow from the previous one, which then stays in use. */
  metagraph(netuid: number, signal?: AbortSignal): Promise<Metagraph>
  /** Announces the address unless the chain already has it. */
  serveAxon(
    signer: ChainSigner,
    axon: { netuid: number; ip: string; port: number },
    signal?: AbortSignal,
  ): Promise<ServeAxonResult>
  /** Converts scores to u16 weights, submits them directly or as a commit, as the chain requires, and confirms them. */
  setWeights(
    signer: ChainSigner,
    weights: { netuid: number; uids: readonly number[]; scores: readonly number[]; versionKey: number },
    signal?: AbortSignal,
  ): Promise<SetWeightsResult>
  /** The weights the chain stores for validator `uid`. */
  weightsOf(netuid: number, uid: number, signal?: AbortSignal): Promise<readonly WeightEntry[]>
  close(): Promise<void>
}

/** The part of the wallet's Signer the chain client needs. */
export interface ChainSigner {
  readonly address: string
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** How to reach the chain. `endpoints` are ws:// or wss:// addresses, at least one, tried in order. */
export interface SubtensorOptions {
  readonly endpoints: readonly string[]
  /** Genesis hash every endpoint must have; undefined accepts any. */
  readonly genesisHash?: string
  /** Deadline of one RPC, default 20,000. */
  readonly rpcTimeoutMs?: number
  /** Without a new head for this long the client moves to the next endpoint, default 60,000. */
  readonly headTimeoutMs?: number
  /** How long to wait for an extrinsic to be included, and then to be found on chain, default 120,000. */
  readonly inclusionTimeoutMs?: number
  /** How long to retry the first connection, default 0: every endpoint once. */
  readonly firstConnectMs?: number
}
