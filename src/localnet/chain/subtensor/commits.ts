import { type CallArguments, subtensor } from '../runtime/index.js'
import { equalBytes } from '../scale/index.js'
import { blake2b256 } from '../storage/index.js'
import { depositEvent, ensure, type PalletContext } from './context.js'
import { commitsItem } from './reveals.js'
import { epochIndex } from './schedule.js'
import { isNullConsensus, mechanismExists, storageIndex } from './subnet.js'
import { hasPermit, isWithinRateLimit } from './weights.js'

/** Per hotkey and epoch. */
const MAX_UNREVEALED_COMMITS = 10
/** YUMA_COMMIT_SIZE_BYTES; older runtimes do not even decode a longer commit. */
const YUMA_COMMIT_BYTES = 5000
/** Under Null consensus the mechanisms of a subnet share one queue per epoch. */
const NULL_QUEUE = { bytes: 64 * 1024, entries: 64 } as const

export interface TimelockedCommit {
  readonly netuid: number
  readonly mecid: number
  readonly commit: Uint8Array
  readonly revealRound: bigint
  /** Undefined for the older calls without a version. */
  readonly version: number | undefined
}

type CommitCall = CallArguments<'commit_crv3_weights'> &
  Partial<Pick<CallArguments<'commit_timelocked_weights'>, 'commit_reveal_version'>>

export function timelockedCommitOf(call: CommitCall, mecid: number): TimelockedCommit {
  const { netuid, commit, reveal_round, commit_reveal_version } = call
  return { netuid, mecid, commit, revealRound: reveal_round, version: commit_reveal_version }
}

/** Stores an encrypted weight vector under the current epoch, until the chain decrypts it. @throws DispatchError */
export function commitTimelocked(
  context: PalletContext,
  hotkey: Uint8Array,
  timelocked: TimelockedCommit,
): void {
  const { storage, block } = context
  const { netuid, mecid, commit, revealRound, version } = timelocked
  ensure(mechanismExists(storage, netuid, mecid), 'MechanismDoesNotExist')
  ensure(storage.get(subtensor.CommitRevealWeightsEnabled, netuid), 'CommitRevealDisabled')
  const expected = storage.get(subtensor.CommitRevealWeightsVersion)
  ensure(version === undefined || version === expected, 'IncorrectCommitRevealVersion')
  const uid = storage.get(subtensor.Uids, netuid, hotkey)
  ensure(uid !== undefined, 'HotKeyNotRegisteredInSubNet')
  const isNull = isNullConsensus(context, netuid)
  ensure(!isNull || hasPermit(storage, netuid, uid), 'NeuronNoValidatorPermit')
  ensure(isWithinRateLimit(storage, block, netuid, mecid, uid), 'CommittingWeightsTooFast')

  const index = storageIndex(netuid, mecid)
  const epoch = epochIndex(context, netuid)
  if (isNull) ensureQueueHasRoom(context, netuid, epoch, commit)
  else ensure(commit.length <= YUMA_COMMIT_BYTES, 'CommitPayloadTooLarge')
  const commits = storage.get(commitsItem(context.dialect), index, epoch)
  const ofHotkey = commits.filter(([who]) => equalBytes(who, hotkey))
  ensure(ofHotkey.length < MAX_UNREVEALED_COMMITS, 'TooManyUnrevealedCommits')
  storage.set(
    commitsItem(context.dialect),
    [...commits, [hotkey, BigInt(block), commit, revealRound] as const],
    index,
    epoch,
  )
  storage.setElement(subtensor.LastUpdate, uid, BigInt(block), index)
  const hash = blake2b256(commit)
  if (version === undefined) {
    depositEvent(context, { type: 'CRV3WeightsCommitted', value: [hotkey, index, hash] })
  } else {
    depositEvent(context, { type: 'TimelockedWeightsCommitted', value: [hotkey, index, hash, revealRound] })
  }
}

/** The limits of Null consensus; the real chain drops commits of smaller stake first. @throws DispatchError */
function ensureQueueHasRoom(context: PalletContext, netuid: number, epoch: bigint, commit: Uint8Array): void {
  const { storage, dialect } = context
  const mechanisms = storage.get(subtensor.MechanismCountCurrent, netuid)
  ensure(commit.length <= dialect.maxCommitBytes / mechanisms, 'CommitPayloadTooLarge')
  const waiting = Array.from({ length: mechanisms }, (_, mecid) =>
    storage.get(commitsItem(dialect), storageIndex(netuid, mecid), epoch),
  ).flat()
  const bytes = waiting.reduce((sum, [, , waitingCommit]) => sum + waitingCommit.length, commit.length)
  ensure(waiting.length < NULL_QUEUE.entries && bytes <= NULL_QUEUE.bytes, 'CommitQueueFull')
}
