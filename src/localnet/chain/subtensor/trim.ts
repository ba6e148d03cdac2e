import { subtensor } from '../runtime/index.js'
import { equalBytes } from '../scale/index.js'
import type { StorageWriter } from '../storage/index.js'
import { ensure, type ReadContext } from './context.js'
import { commitsItem, pendingCommits } from './reveals.js'
import { isNullConsensus, storageIndex, uidsOf } from './subnet.js'

/** Under Null consensus the chain removes at most this many neurons at once (NULL_PRUNING_BATCH). */
const NULL_TRIM_BATCH = 64

/**
 * Removes neurons until `maxUids` are left and gives the others new uids, as the owner's `sudo_trim_to_max_allowed_uids`
 * (subnets/uids.rs). The neurons with the lowest emission go, never the owner's hotkey; the real runtime also keeps those
 * in their immunity period. Under Yuma consensus the rest moves up; under Null consensus the last ones fill the holes, and
 * pending commits, which name the old uids, are dropped.
 *
 * @throws DispatchError InvalidValue for a number that the real call refuses
 */
export function trimUids(
  context: ReadContext & { readonly storage: StorageWriter },
  netuid: number,
  maxUids: number,
): void {
  const { storage, dialect } = context
  ensure(maxUids >= storage.get(subtensor.MinAllowedUids, netuid), 'InvalidValue')
  ensure(maxUids <= storage.get(subtensor.MaxAllowedUids, netuid), 'InvalidValue')
  const isNull = isNullConsensus(context, netuid)
  const count = storage.get(subtensor.SubnetworkN, netuid)
  ensure(!isNull || count - maxUids <= NULL_TRIM_BATCH, 'InvalidValue')
  storage.set(subtensor.MaxAllowedUids, maxUids, netuid)
  if (count <= maxUids) return

  const removed = lowestEmitters(storage, netuid, count - maxUids)
  ensure(removed.size === count - maxUids, 'InvalidValue')
  for (const uid of removed) removeNeuron(storage, netuid, uid)
  if (isNull) {
    for (const [index, epoch] of pendingCommits(context, netuid))
      storage.delete(commitsItem(dialect), index, epoch)
  }
  const kept = uidsOf(storage, netuid).filter((uid) => !removed.has(uid))
  renumber(storage, netuid, isNull ? withFilledHoles(kept, maxUids) : kept)
}

/** The given number of uids with the lowest emission; of equal ones the later. */
function lowestEmitters(storage: StorageWriter, netuid: number, howMany: number): ReadonlySet<number> {
  const emission = storage.get(subtensor.Emission, netuid)
  const owner = storage.get(subtensor.SubnetOwnerHotkey, netuid)
  const highestFirst = uidsOf(storage, netuid)
    .filter((uid) => !equalBytes(storage.get(subtensor.Keys, netuid, uid), owner))
    .toSorted((a, b) => Number((emission[b] ?? 0n) - (emission[a] ?? 0n)) || a - b)
  return new Set(highestFirst.slice(Math.max(0, highestFirst.length - howMany)))
}

function removeNeuron(storage: StorageWriter, netuid: number, uid: number): void {
  const hotkey = storage.get(subtensor.Keys, netuid, uid)
  storage.delete(subtensor.Uids, netuid, hotkey)
  storage.delete(subtensor.Axons, netuid, hotkey)
  storage.delete(subtensor.Prometheus, netuid, hotkey)
  storage.set(subtensor.IsNetworkMember, false, hotkey, netuid)
}

/** The old uid of each new one: uids below `count` stay, and the later ones take the places of those removed. */
function withFilledHoles(kept: readonly number[], count: number): readonly number[] {
  const staying = new Set(kept)
  const moving = kept.filter((uid) => uid >= count)
  return Array.from({ length: count }, (_, uid) => (staying.has(uid) ? uid : (moving.shift() ?? uid)))
}

/** @param oldUids the old uid of each new one */
function renumber(storage: StorageWriter, netuid: number, oldUids: readonly number[]): void {
  const before = storage.get(subtensor.SubnetworkN, netuid)
  const newUids = new Map(oldUids.map((old, uid) => [old, uid]))
  const { ValidatorTrust, ValidatorPermit, Active, Consensus, Dividends, Emission } = subtensor
  for (const item of [Consensus, Dividends, ValidatorTrust]) {
    storage.set(item, pick(storage.get(item, netuid), oldUids, 0), netuid)
  }
  for (const item of [Active, ValidatorPermit]) {
    storage.set(item, pick(storage.get(item, netuid), oldUids, false), netuid)
  }
  storage.set(Emission, pick(storage.get(Emission, netuid), oldUids, 0n), netuid)

  const neurons = oldUids.map((old) => ({
    hotkey: storage.get(subtensor.Keys, netuid, old),
    registeredAt: storage.get(subtensor.BlockAtRegistration, netuid, old),
  }))
  for (let uid = oldUids.length; uid < before; uid++) {
    storage.delete(subtensor.Keys, netuid, uid)
    storage.delete(subtensor.BlockAtRegistration, netuid, uid)
  }
  neurons.forEach(({ hotkey, registeredAt }, uid) => {
    storage.set(subtensor.Keys, hotkey, netuid, uid)
    storage.set(subtensor.Uids, uid, netuid, hotkey)
    storage.set(subtensor.BlockAtRegistration, registeredAt, netuid, uid)
  })
  const mechanisms = storage.get(subtensor.MechanismCountCurrent, netuid)
  for (let mecid = 0; mecid < mechanisms; mecid++) {
    renumberMechanism(storage, storageIndex(netuid, mecid), oldUids, newUids, before)
  }
  storage.set(subtensor.SubnetworkN, oldUids.length, netuid)
}

/** Moves weights and bonds to the new uids, without the entries for removed neurons. */
function renumberMechanism(
  storage: StorageWriter,
  index: number,
  oldUids: readonly number[],
  newUids: ReadonlyMap<number, number>,
  before: number,
): void {
  const { Incentive, LastUpdate } = subtensor
  storage.set(Incentive, pick(storage.get(Incentive, index), oldUids, 0), index)
  storage.set(LastUpdate, pick(storage.get(LastUpdate, index), oldUids, 0n), index)
  for (const item of [subtensor.Weights, subtensor.Bonds]) {
    const rows = oldUids.map((old) =>
      storage.get(item, index, old).flatMap(([other, value]) => {
        const uid = newUids.get(other)
        return uid === undefined ? [] : [[uid, value] as const]
      }),
    )
    for (let uid = 0; uid < before; uid++) storage.delete(item, index, uid)
    rows.forEach((row, uid) => {
      if (row.length > 0) storage.set(item, row, index, uid)
    })
  }
}

function pick<T>(values: readonly T[], oldUids: readonly number[], absent: T): readonly T[] {
  return oldUids.map((old) => values[old] ?? absent)
}
