import { type Clock, type HotkeyLock, type LockTimes, lockHotkey } from '../kernel/index.js'
import { hashVector, type LedgerEntry, openLedger, type WeightsLedger } from './ledger/index.js'
import { doppelganger, giveUpPending, isOwnUpdate, moveConfirmed, settlePending } from './own-updates.js'
import type { ChainLog } from './session.js'
import type { WeightsRequest } from './set-weights.js'
import type { BlockHead, ChainSigner, SetWeightsResult, WeightEntry } from './types.js'

/** What the chain shows about a hotkey's weights, at one block. */
export interface WeightsStatus {
  readonly block: number
  /** Undefined when the hotkey is not registered. */
  readonly uid: number | undefined
  readonly lastUpdateBlock: number
  readonly rateLimitBlocks: number
  /** Nonce of the account in the state of the block. */
  readonly nonce: number
}

/** The part of the chain client a pipeline uses. */
export interface WeightsChain {
  readonly genesisHash: string
  head(): BlockHead
  weightsStatus(netuid: number, hotkey: string, signal?: AbortSignal): Promise<WeightsStatus>
  setWeights(signer: ChainSigner, request: WeightsRequest, signal?: AbortSignal): Promise<SetWeightsResult>
  weightsOf(netuid: number, uid: number, signal?: AbortSignal): Promise<readonly WeightEntry[]>
}

export interface WeightsPipelineOptions {
  readonly chain: WeightsChain
  readonly signer: ChainSigner
  readonly netuid: number
  /** File of the ledger; the lock lies beside it. Its folder belongs to this hotkey and subnet alone. */
  readonly ledgerPath: string
  readonly lockTimes?: LockTimes
  /** The operator vouches that no other machine uses the hotkey: weights are not held at the start. */
  readonly isAlone?: boolean
  readonly clock: Clock
  readonly log: ChainLog
  readonly signal: AbortSignal
}

export type WeightsAttemptResult =
  | SetWeightsResult
  /** The ledger or the chain has this epoch's weights already. */
  | { readonly kind: 'already-set'; readonly block: number }
  /** Not yet: another process might be using the hotkey, or an earlier submission is still on its way. */
  | {
      readonly kind: 'held'
      readonly untilBlock: number
      readonly reason: 'doppelganger-watch' | 'in-flight'
    }

/** Scores to set, and the blocks they are for. */
export interface WeightsVector {
  readonly uids: readonly number[]
  readonly scores: readonly number[]
  readonly versionKey: number
  /** Blocks of the epoch: from the first to before the first of the next. */
  readonly window?: { readonly fromBlock: number; readonly untilBlock: number }
}

/**
 * At most one accepted submission per epoch, none lost: a lock for processes of this machine, a watch for those of
 * others, and a ledger written before anything is sent.
 */
export interface WeightsPipeline {
  /** Aborts when the lock was lost; weights must not be set any more. */
  readonly lost: AbortSignal
  /**
   * One try for an epoch. Calling it again for the same epoch is safe at any time.
   *
   * @throws TargonError HOTKEY_IN_USE (fault hotkey-in-use) when someone else set weights with the hotkey.
   */
  attempt(epoch: number, vector: WeightsVector, signal?: AbortSignal): Promise<WeightsAttemptResult>
  /** Notes an epoch for which there was nothing to set; it does not count as missed. */
  skip(epoch: number, reason: string): Promise<void>
  close(): Promise<void>
}

/** Blocks after the reveal block at which the vector must be in place: the beacon's round may be late. */
const REVEAL_GRACE_BLOCKS = 16

/** @throws TargonError HOTKEY_IN_USE when the lock is held; whatever the chain throws. */
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
        { event: 'weights-ledger-quarantined', file, reason },
        'moved an unreadable weights ledger aside and started a new one',
      ),
    )
    const start = await chain.weightsStatus(netuid, signer.address, options.signal)
    return createPipeline(options, ledger, start, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

function createPipeline(
  { chain, signer, netuid, isAlone = false, log }: WeightsPipelineOptions,
  ledger: WeightsLedger,
  start: WeightsStatus,
  lock: HotkeyLock,
): WeightsPipeline {
  /** LastUpdate, and the nonces used, as far as this process can explain them. */
  let explained = { lastUpdateBlock: start.lastUpdateBlock, nonce: start.nonce }
  const isKnown = ledger.hasHistory && isOwnUpdate(ledger, start)
  const watchUntil = isAlone || isKnown ? 0 : start.block + start.rateLimitBlocks
  if (watchUntil > 0)
    log.info(
      { event: 'weights-paused', untilBlock: watchUntil },
      'weights paused: checking for a second validator on this hotkey',
    )

  return {
    lost: lock.lost,
    async attempt(epoch, vector, signal) {
      lock.lost.throwIfAborted()
      const known = ledger.find(epoch)
      if (known?.status === 'confirmed') return { kind: 'already-set', block: known.block }
      const standing = await chain.weightsStatus(netuid, signer.address, signal)
      const landed = await settlePending(ledger, standing)
      if (landed) explain(standing.lastUpdateBlock, landed.nonce)
      if (standing.lastUpdateBlock > explained.lastUpdateBlock) {
        // Whoever sets weights uses a nonce. Without one the update was ours: a re-org moved it, or a reveal made it.
        if (standing.nonce > explained.nonce && !isAlone) throw doppelganger(signer.address, standing)
        explain(standing.lastUpdateBlock, undefined)
        await moveConfirmed(ledger, standing)
      }
      if (landed?.epoch === epoch) return { kind: 'already-set', block: standing.lastUpdateBlock }
      if (standing.block < watchUntil) {
        return { kind: 'held', untilBlock: watchUntil, reason: 'doppelganger-watch' }
      }
      await checkReveal(standing, signal)
      return send(epoch, vector, standing, signal)
    },
    async skip(epoch, reason) {
      // What has landed, or may land yet, stays noted.
      const status = ledger.find(epoch)?.status
      if (status === 'submitted' || status === 'confirmed') return
      await ledger.write({ epoch, status: 'skipped', reason, block: chain.head().number })
    },
    close: () => lock.release(),
  }

  function explain(lastUpdateBlock: number, usedNonce: number | undefined): void {
    explained = {
      lastUpdateBlock: Math.max(explained.lastUpdateBlock, lastUpdateBlock),
      nonce: Math.max(explained.nonce, (usedNonce ?? -1) + 1),
    }
  }

  /**
   * Everything that is sent carries the nonce of the standing it was decided on. If anything sent before lands after
   * all, that nonce is used up and the chain refuses the rest: however often it is tried, one is taken.
   */
  async function send(
    epoch: number,
    { window, ...vector }: WeightsVector,
    { block: decidedAt, nonce }: WeightsStatus,
    signal: AbortSignal | undefined,
  ): Promise<WeightsAttemptResult> {
    const isInFlight = ledger.entries.some(({ status }) => status === 'submitted')
    let entry: LedgerEntry = { epoch, status: 'refused', block: decidedAt }
    const result = await chain.setWeights(
      signer,
      {
        netuid,
        ...vector,
        nonce,
        ...(window && isGuardable(window) ? { untilBlock: window.untilBlock } : {}),
        onSigned: async ({ hash, nonce: signedNonce, path, entries }) => {
          lock.lost.throwIfAborted()
          const vectorHash = hashVector(entries)
          const block = decidedAt
          entry = {
            epoch,
            status: 'submitted',
            vectorHash,
            extrinsicHash: hash,
            nonce: signedNonce,
            path,
            block,
          }
          await ledger.write(entry)
        },
      },
      signal,
    )
    if (result.kind === 'set') {
      explain(result.block, entry.nonce)
      const { block, revealBlock } = result
      const vectorOfCommit = result.entries.map(({ uid, weightU16 }): [number, number] => [uid, weightU16])
      await ledger.write({
        ...entry,
        status: 'confirmed',
        block,
        ...(revealBlock === undefined ? {} : { revealBlock, vector: vectorOfCommit }),
      })
      await giveUpPending(ledger)
    } else if (result.kind !== 'unconfirmed' && !isInFlight) {
      const reason = result.kind === 'refused' ? result.refusal.name : result.reason
      await ledger.write({ ...entry, status: result.kind, reason })
    }
    // Anything else stays `submitted`: this one, or one before it, may land yet.
    return result
  }

  /** A commit whose vector the chain does not show after its reveal was lost: nobody else would notice. */
  async function checkReveal(standing: WeightsStatus, signal: AbortSignal | undefined): Promise<void> {
    const due = ledger.entries.find(({ vector, status }) => vector !== undefined && status === 'confirmed')
    if (!due?.vector || standing.uid === undefined) return
    if (standing.block <= (due.revealBlock ?? 0) + REVEAL_GRACE_BLOCKS) return
    const stored = await chain.weightsOf(netuid, standing.uid, signal)
    const { vector, ...rest } = due
    await ledger.write(rest)
    if (hashVector(stored) === due.vectorHash) return
    log.error(
      { event: 'weights-not-revealed', epoch: due.epoch, revealBlock: due.revealBlock },
      'the chain did not reveal the committed weights',
    )
  }
}

/** Epochs shorter than this leave no room for an extrinsic that must not outlive them. */
const SHORTEST_GUARDED_BLOCKS = 32

function isGuardable({ fromBlock, untilBlock }: NonNullable<WeightsVector['window']>): boolean {
  return untilBlock - fromBlock >= SHORTEST_GUARDED_BLOCKS
}
