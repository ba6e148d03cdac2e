import type { ChainRefusal } from './outcomes.js'

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

/** Rules of a subnet for setting weights. */
export interface WeightRules {
  readonly neuronCount: number
  readonly minAllowedWeights: number
  /** 0..1 */
  readonly maxWeightLimit: number
  readonly rateLimitBlocks: number
  /** 0 accepts any. */
  readonly versionKey: number
  readonly isCommitReveal: boolean
  readonly commitRevealVersion: number
}
