import { type HotkeyLock, type LockTimes, lockHotkey } from '../kernel/index.js'
import type { ChainContext } from './context.js'
import {
  discardSubmitted,
  hotkeyInUse,
  isOwnUpdate,
  moveConfirmed,
  newestConfirmed,
  settleSubmitted,
} from './reconcile-ledger.js'
import type { BlockHead, ChainSigner } from './types.js'
import { hashVector, type LedgerEntry, openLedger, type WeightsLedger } from './weights-ledger.js'
import type {
  SetWeightsResult,
  SignedAttempt,
  WeightEntry,
  WeightsRequest,
  WeightsStatus,
} from './weights-types.js'

/** The part of the chain client a pipeline uses. */
export interface WeightsChain {
  readonly genesisHash: string
  head(): BlockHead
  weightsStatus(netuid: number, hotkey: string, signal?: AbortSignal): Promise<WeightsStatus>
  setWeights(signer: ChainSigner, request: WeightsRequest, signal?: AbortSignal): Promise<SetWeightsResult>
  weightsOf(netuid: number, uid: number, signal?: AbortSignal): Promise<readonly WeightEntry[]>
}

export interface WeightsPipelineOptions extends Pick<ChainContext, 'clock' | 'log' | 'signal'> {
  readonly chain: WeightsChain
  readonly signer: ChainSigner
  readonly netuid: number
  /** File of the ledger, with the lock beside it, in a folder of this hotkey and subnet only. */
  readonly ledgerPath: string
  readonly lockTimes?: LockTimes
  /** The operator guarantees that no other machine uses the hotkey: weights are not held back at the start. */
  readonly isAlone?: boolean
}

export type WeightsAttemptResult =
  | SetWeightsResult
  /** The ledger or the chain already has the weights of this epoch. */
  | { readonly kind: 'already-set'; readonly block: number }
  /** Not yet: another validator might use the hotkey. */
  | { readonly kind: 'held'; readonly untilBlock: number; readonly reason: 'doppelganger-watch' }

/** Scores to set, and the blocks they are for. */
export interface EpochScores {
  readonly uids: readonly number[]
  readonly scores: readonly number[]
  readonly versionKey: number
  /** Blocks of the epoch; `untilBlock` is the first of the next one. */
  readonly window?: { readonly fromBlock: number; readonly untilBlock: number }
}

/**
 * Gets exactly one submission per epoch accepted: a lock excludes processes of this machine, a check of LastUpdate detects
 * those of other machines, and a ledger is written before anything is sent.
 */
export interface WeightsPipeline {
  /** Aborts when the lock was lost; weights must not be set any more. */
  readonly lost: AbortSignal
  /** The newest weights of this hotkey that the ledger knows to be on chain, also from before this process. */
  readonly lastConfirmed: { readonly epoch: number; readonly block: number } | undefined
  /**
   * One attempt for an epoch; safe to repeat for the same epoch.
   *
   * @throws TargonError HOTKEY_IN_USE (fault hotkey-in-use) when another validator set weights with the hotkey.
   */
  attempt(epoch: number, vector: EpochScores, signal?: AbortSignal): Promise<WeightsAttemptResult>
  /** Records an epoch with nothing to set, so that it does not count as missed. */
  skip(epoch: number, reason: string): Promise<void>
  close(): Promise<void>
}

/** @throws TargonError HOTKEY_IN_USE when another process holds the lock; whatever the chain throws. */
export async function openWeightsPipeline(options: WeightsPipelineOptions): Promise<WeightsPipeline> {
  const { chain, signer, netuid, clock, log } = options
  const lock = await lockHotkey({
    path: `${options.ledgerPath}.lock`,
    use: `sets weights with hotkey ${signer.address}`,
    clock,
    log,
    signal: options.signal,
    ...options.lockTimes,
  })
  try {
    const owner = { hotkey: signer.address, netuid, genesisHash: chain.genesisHash }
    const ledger = await openLedger(options.ledgerPath, owner, (file, reason) =>
      log.warn(
        { event: 'weights-ledger-set-aside', file, reason },
        'set an unusable weights ledger aside and started a new one',
      ),
    )
    const start = await chain.weightsStatus(netuid, signer.address, options.signal)
    return new LedgeredPipeline(options, ledger, start, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Blocks after the reveal block by which the weights must be in place: the beacon round may be late. */
const REVEAL_GRACE_BLOCKS = 16

/** Shorter epochs leave no room for an extrinsic that must expire with them. */
const SHORTEST_GUARDED_BLOCKS = 32

class LedgeredPipeline implements WeightsPipeline {
  readonly lost: AbortSignal
  readonly #options: WeightsPipelineOptions
  readonly #ledger: WeightsLedger
  readonly #lock: HotkeyLock
  /** Weights are held back until this block, to detect another validator first; 0 for not at all. */
  readonly #heldUntil: number
  /** LastUpdate and the next nonce, as far as our own submissions explain them. */
  #explained: { readonly lastUpdateBlock: number; readonly nonce: number }

  constructor(
    options: WeightsPipelineOptions,
    ledger: WeightsLedger,
    start: WeightsStatus,
    lock: HotkeyLock,
  ) {
    this.lost = lock.lost
    this.#options = options
    this.#ledger = ledger
    this.#lock = lock
    this.#explained = { lastUpdateBlock: start.lastUpdateBlock, nonce: start.nonce }
    const isKnown = ledger.hasHistory && isOwnUpdate(ledger, start)
    this.#heldUntil = options.isAlone || isKnown ? 0 : start.block + start.rateLimitBlocks
    if (this.#heldUntil > 0)
      options.log.info(
        { event: 'weights-paused', untilBlock: this.#heldUntil },
        'weights paused: checking for a second validator on this hotkey',
      )
  }

  get lastConfirmed() {
    const newest = newestConfirmed(this.#ledger)
    return newest && { epoch: newest.epoch, block: newest.block }
  }

  async attempt(epoch: number, vector: EpochScores, signal?: AbortSignal): Promise<WeightsAttemptResult> {
    const { chain, signer, netuid, isAlone = false } = this.#options
    this.lost.throwIfAborted()
    const known = this.#ledger.find(epoch)
    if (known?.status === 'confirmed') return { kind: 'already-set', block: known.block }
    const status = await chain.weightsStatus(netuid, signer.address, signal)
    const landed = await settleSubmitted(this.#ledger, status)
    if (landed) this.#explain(status.lastUpdateBlock, landed.nonce)
    if (status.lastUpdateBlock > this.#explained.lastUpdateBlock) {
      // Setting weights uses a nonce. Without a new nonce the update is ours, moved by a re-org or made by a reveal.
      if (status.nonce > this.#explained.nonce && !isAlone) throw hotkeyInUse(signer.address, status)
      this.#explain(status.lastUpdateBlock, undefined)
      await moveConfirmed(this.#ledger, status)
    }
    if (landed?.epoch === epoch) return { kind: 'already-set', block: status.lastUpdateBlock }
    if (status.block < this.#heldUntil) {
      return { kind: 'held', untilBlock: this.#heldUntil, reason: 'doppelganger-watch' }
    }
    await this.#checkReveal(status, signal)
    return this.#send(epoch, vector, status, signal)
  }

  async skip(epoch: number, reason: string): Promise<void> {
    // A submission that landed, or may still land, stays recorded.
    const status = this.#ledger.find(epoch)?.status
    if (status === 'submitted' || status === 'confirmed') return
    await this.#ledger.write({ epoch, status: 'skipped', reason, block: this.#options.chain.head().number })
  }

  close(): Promise<void> {
    return this.#lock.release()
  }

  #explain(lastUpdateBlock: number, usedNonce: number | undefined): void {
    this.#explained = {
      lastUpdateBlock: Math.max(this.#explained.lastUpdateBlock, lastUpdateBlock),
      nonce: Math.max(this.#explained.nonce, (usedNonce ?? -1) + 1),
    }
  }

  /**
   * Every submission carries the nonce read at its decision. If an earlier one lands after all, that nonce is used and the
   * chain refuses the rest, so that only one is accepted however often it is tried.
   */
  async #send(
    epoch: number,
    { window, ...vector }: EpochScores,
    { block: decidedAt, nonce }: WeightsStatus,
    signal: AbortSignal | undefined,
  ): Promise<WeightsAttemptResult> {
    const { chain, signer, netuid } = this.#options
    const isInFlight = this.#ledger.entries.some(({ status }) => status === 'submitted')
    let entry: LedgerEntry = { epoch, status: 'refused', block: decidedAt }
    const onSigned = async (attempt: SignedAttempt) => {
      this.lost.throwIfAborted()
      entry = submittedEntry(epoch, decidedAt, attempt)
      await this.#ledger.write(entry)
    }
    const guard = window && isGuardable(window) ? { untilBlock: window.untilBlock } : {}
    const request = { netuid, ...vector, nonce, ...guard, onSigned }
    const result = await chain.setWeights(signer, request, signal)
    if (result.kind === 'set') await this.#recordSet(entry, result)
    else if (result.kind !== 'unconfirmed' && !isInFlight) {
      const reason = result.kind === 'refused' ? result.refusal.name : result.reason
      await this.#ledger.write({ ...entry, status: result.kind, reason })
    }
    // Otherwise it stays `submitted`: this submission, or one before it, may still land.
    return result
  }

  async #recordSet(entry: LedgerEntry, result: Extract<SetWeightsResult, { kind: 'set' }>): Promise<void> {
    const { block, revealBlock, entries } = result
    this.#explain(block, entry.nonce)
    const vector = entries.map(({ uid, weightU16 }): [number, number] => [uid, weightU16])
    await this.#ledger.write({
      ...entry,
      status: 'confirmed',
      block,
      ...(revealBlock === undefined ? {} : { revealBlock, vector }),
    })
    await discardSubmitted(this.#ledger)
  }

  /** Reports a commit whose weights are not on chain after its reveal; nothing else would notice. */
  async #checkReveal(status: WeightsStatus, signal: AbortSignal | undefined): Promise<void> {
    const { chain, netuid, log } = this.#options
    const due = this.#ledger.entries.find(
      (entry) => entry.vector !== undefined && entry.status === 'confirmed',
    )
    if (!due?.vector || status.uid === undefined) return
    if (status.block <= (due.revealBlock ?? 0) + REVEAL_GRACE_BLOCKS) return
    const stored = await chain.weightsOf(netuid, status.uid, signal)
    const { vector, ...rest } = due
    await this.#ledger.write(rest)
    if (hashVector(stored) === due.vectorHash) return
    log.error(
      { event: 'weights-not-revealed', epoch: due.epoch, revealBlock: due.revealBlock },
      'the chain did not reveal the committed weights',
    )
  }
}

function submittedEntry(epoch: number, block: number, attempt: SignedAttempt): LedgerEntry {
  return {
    epoch,
    status: 'submitted',
    vectorHash: hashVector(attempt.entries),
    extrinsicHash: attempt.hash,
    nonce: attempt.nonce,
    path: attempt.path,
    block,
  }
}

function isGuardable({ fromBlock, untilBlock }: NonNullable<EpochScores['window']>): boolean {
  return untilBlock - fromBlock >= SHORTEST_GUARDED_BLOCKS
}
