/** Address a neuron announced on chain. */
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
  /** Undefined when never announced or reset (ip 0). */
  readonly axon: Axon | undefined
  readonly validatorPermit: boolean
  /** Total stake weight in TAO (alpha + TAO weighted), the metagraph's S. */
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

/** Immutable picture of a subnet at one block. `neurons[uid].uid === uid`. */
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

/** One `(uid, weight)` as the chain stores it, weight 0..65535 with the largest at 65535. */
export interface WeightEntry {
  readonly uid: number
  readonly weightU16: number
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
      /** Path `commit`: first block at which the chain reveals the vector, and the beacon round it is locked to. */
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

/** Why the chain did not take an extrinsic, by class of action; pool codes and dispatch errors are told apart by name (refusal.ts). */
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
    /** Signed now it could land in the next epoch; nothing was sent. */
    | 'window-closing'
    /** The configured endpoints show different chains; nothing was sent. */
    | 'endpoints-differ'
    /** The endpoint shows what the subnet cannot have become; nothing was sent. */
    | 'implausible'
    | 'other'
  /** Name of the dispatch error, or `pool 1010 custom 6`. */
  readonly name: string
  readonly detail: string
}

/**
 * The subnet as a node sees it. Every call has a deadline and honours the signal.
 *
 * @throws TargonError CHAIN_UNREACHABLE (fault unreachable) when no endpoint answers in time.
 */
export interface Subtensor {
  readonly endpoint: string
  readonly genesisHash: string
  readonly specVersion: number
  /** Times the connection was rebuilt. */
  readonly reconnects: number
  /** Milliseconds by which this machine's clock is surely ahead of the chain's, negative when behind; 0 while they agree. */
  readonly clockOffsetMs: number
  head(): BlockHead
  /** New heads with strictly rising numbers; gaps are possible, repeats and re-orgs are hidden. Ends with the signal. */
  blocks(signal: AbortSignal): AsyncIterable<BlockHead>
  /** @throws TargonError CHAIN_IMPLAUSIBLE when it cannot follow from the one before; that one stays good. */
  metagraph(netuid: number, signal?: AbortSignal): Promise<Metagraph>
  /** Announces the address unless the chain already has exactly it. */
  serveAxon(
    signer: ChainSigner,
    axon: { netuid: number; ip: string; port: number },
    signal?: AbortSignal,
  ): Promise<ServeAxonResult>
  /** Float scores by uid to u16, submission by the path the chain asks for, and confirmation. */
  setWeights(
    signer: ChainSigner,
    weights: { netuid: number; uids: readonly number[]; scores: readonly number[]; versionKey: number },
    signal?: AbortSignal,
  ): Promise<SetWeightsResult>
  /** What the chain stores as weights set by `uid`. */
  weightsOf(netuid: number, uid: number, signal?: AbortSignal): Promise<readonly WeightEntry[]>
  close(): Promise<void>
}

/** The part of wallet's Signer the chain needs. */
export interface ChainSigner {
  readonly address: string
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** How to reach the chain. `endpoints` are ws:// or wss:// addresses tried in order, at least one. */
export interface SubtensorOptions {
  readonly endpoints: readonly string[]
  /** Pinned genesis hash of a known network; undefined accepts any. */
  readonly genesisHash?: string
  /** Deadline of one RPC, default 20,000. */
  readonly rpcTimeoutMs?: number
  /** A head older than this makes the client move to the next endpoint, default 60,000. */
  readonly headTimeoutMs?: number
  /** How long an extrinsic may take into a block, and be looked for afterwards, default 120,000. */
  readonly inclusionTimeoutMs?: number
  /** How long the first connection is tried again and again, default 0: every endpoint once. */
  readonly firstConnectMs?: number
}
