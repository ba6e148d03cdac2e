import { decryptTimelock } from '../beacon/index.js'
import { type Dialect, drand, subtensor } from '../runtime/index.js'
import { bytes, decode, equalBytes, struct, u16, u64, vec } from '../scale/index.js'
import { DispatchError, depositEvent, type PalletContext, type ReadContext } from './context.js'
import { epochIndex, epochIndexOnInitialize } from './schedule.js'
import { storageIndex } from './subnet.js'
import { storeWeights } from './weights.js'

const legacyPayload = struct('LegacyPayload', { uids: vec(u16), values: vec(u16), version_key: u64 })
const payload = struct('Payload', { hotkey: bytes, uids: vec(u16), values: vec(u16), version_key: u64 })

interface RevealedWeights {
  readonly uids: readonly number[]
  readonly values: readonly number[]
  readonly version_key: bigint
}

/** The storage item in which a dialect keeps time-locked commits. */
export function commitsItem(dialect: Dialect) {
  return dialect.omitted.includes('TimelockedWeightCommits')
    ? subtensor.CRV3WeightCommitsV2
    : subtensor.TimelockedWeightCommits
}

/** The storage index and epoch of every queue in which commits wait for their reveal. */
export function pendingCommits(context: ReadContext, netuid: number): readonly (readonly [number, bigint])[] {
  const { storage, dialect } = context
  const newest = epochIndex(context, netuid)
  const oldest = newest - storage.get(subtensor.RevealPeriodEpochs, netuid)
  const pending: (readonly [number, bigint])[] = []
  const mechanisms = storage.get(subtensor.MechanismCountCurrent, netuid)
  for (let mecid = 0; mecid < mechanisms; mecid++) {
    const index = storageIndex(netuid, mecid)
    for (let epoch = oldest > 0n ? oldest : 0n; epoch <= newest; epoch++) {
      if (storage.get(commitsItem(dialect), index, epoch).length > 0) pending.push([index, epoch])
    }
  }
  return pending
}

/**
 * Reveals the commits whose reveal epoch is the current one (coinbase/reveal_commits.rs): decrypts them and sets their
 * weights. A commit whose pulse is missing is retried in the next block of the epoch. It is dropped without an event
 * when the epoch has passed, or when it cannot be decrypted or its weights are invalid.
 */
export function revealCommits(context: PalletContext, netuid: number): void {
  const { storage } = context
  const period = storage.get(subtensor.RevealPeriodEpochs, netuid)
  const epoch = epochIndexOnInitialize(context, netuid) - period
  if (epoch < 0n) return
  const mechanisms = storage.get(subtensor.MechanismCountCurrent, netuid)
  for (let mecid = 0; mecid < mechanisms; mecid++) revealEpoch(context, netuid, mecid, epoch)
}

function revealEpoch(context: PalletContext, netuid: number, mecid: number, epoch: bigint): void {
  const { storage } = context
  const item = commitsItem(context.dialect)
  const index = storageIndex(netuid, mecid)
  if (epoch > 0n) storage.delete(item, index, epoch - 1n)
  const commits = storage.get(item, index, epoch)
  if (commits.length === 0) return
  const unrevealed = commits.filter(([hotkey, , commit, round]) => {
    const pulse = storage.get(drand.Pulses, round)
    if (!pulse) return true
    revealOne(context, { netuid, mecid, hotkey, commit, signature: pulse.signature })
    return false
  })
  if (unrevealed.length > 0) storage.set(item, unrevealed, index, epoch)
  else storage.delete(item, index, epoch)
}

interface Reveal {
  readonly netuid: number
  readonly mecid: number
  readonly hotkey: Uint8Array
  readonly commit: Uint8Array
  readonly signature: Uint8Array
}

/** The newest name first; the oldest dialect has neither. */
const REVEAL_EVENTS = ['TimelockedWeightsRevealed', 'CRV3WeightsRevealed'] as const

function revealOne(context: PalletContext, { netuid, mecid, hotkey, commit, signature }: Reveal): void {
  const revealed = openPayload(context.dialect, hotkey, commit, signature)
  if (!revealed) return
  try {
    storeWeights(context, hotkey, {
      netuid,
      mecid,
      dests: revealed.uids,
      weights: revealed.values,
      versionKey: revealed.version_key,
    })
  } catch (error) {
    if (error instanceof DispatchError) return
    throw error
  }
  const value = [storageIndex(netuid, mecid), hotkey] as const
  const type = REVEAL_EVENTS.find((name) => !context.dialect.omitted.includes(name))
  if (type) depositEvent(context, { type, value })
}

/** Undefined when the commit cannot be decrypted or decoded, or names another hotkey. */
function openPayload(
  dialect: Dialect,
  hotkey: Uint8Array,
  commit: Uint8Array,
  signature: Uint8Array,
): RevealedWeights | undefined {
  let plain: Uint8Array
  try {
    plain = decryptTimelock(commit, signature)
  } catch {
    return undefined
  }
  try {
    if (dialect.commitPayload === 'without-hotkey') return decode(legacyPayload, plain)
    const revealed = decode(payload, plain)
    return equalBytes(revealed.hotkey, hotkey) ? revealed : undefined
  } catch {
    return undefined
  }
}
