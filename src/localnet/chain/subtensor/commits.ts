import { type CallArguments, subtensor } from '../runtime/index.js'
import { equalBytes } from '../scale/index.js'
import { blake2b256 } from '../storage/index.js'
import { depositEvent, ensure, type PalletContext } from './context.js'
import { commitsItem } from './reveals.js'
import { epochIndex } from './schedule.js'
import { mechanismExists, storageIndex } from './subnet.js'
import { isWithinRateLimit } from './weights.js'

/** Per hotkey and epoch. */
const MAX_UNREVEALED_COMMITS = 10

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
  ensure(isWithinRateLimit(storage, block, netuid, mecid, uid), 'CommittingWeightsTooFast')

  const index = storageIndex(netuid, mecid)
  const epoch = epochIndex(context, netuid)
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
