import { subtensor } from '../runtime/index.js'
import { equalBytes } from '../scale/index.js'
import type { StorageReader } from '../storage/index.js'
import type { ReadContext } from './context.js'

/** A storage index packs the mechanism id and the netuid. */
const MECHANISM_STRIDE = 4096

export function storageIndex(netuid: number, mecid: number): number {
  return mecid * MECHANISM_STRIDE + netuid
}

export function subnetExists(storage: StorageReader, netuid: number): boolean {
  return storage.get(subtensor.NetworksAdded, netuid)
}

export function mechanismExists(storage: StorageReader, netuid: number, mecid: number): boolean {
  return subnetExists(storage, netuid) && mecid < storage.get(subtensor.MechanismCountCurrent, netuid)
}

type SubnetContext = Pick<ReadContext, 'storage' | 'dialect'>

/** Whether the largest stake alone decides the incentives of a subnet. */
export function isNullConsensus(context: SubnetContext, netuid: number): boolean {
  return (
    hasConsensusModes(context) && context.storage.get(subtensor.SubnetEpochConsensus, netuid).type === 'Null'
  )
}

/** Whether the runtime knows more than Yuma consensus. */
export function hasConsensusModes({ dialect }: Pick<SubnetContext, 'dialect'>): boolean {
  return !dialect.omitted.includes('SubnetEpochConsensus')
}

export function uidsOf(storage: StorageReader, netuid: number): readonly number[] {
  return Array.from({ length: storage.get(subtensor.SubnetworkN, netuid) }, (_, uid) => uid)
}

export interface Stake {
  readonly alpha: bigint
  readonly tao: bigint
  /** Alpha plus the weighted root stake. */
  readonly total: bigint
}

/** The stake of a hotkey, in rao. */
export function stakeOf(storage: StorageReader, netuid: number, hotkey: Uint8Array): Stake {
  const alpha = storage.get(subtensor.TotalHotkeyAlpha, hotkey, netuid)
  const tao = netuid === 0 ? 0n : storage.get(subtensor.TotalHotkeyAlpha, hotkey, 0)
  return { alpha, tao, total: alpha + ((tao * storage.get(subtensor.TaoWeight)) >> 64n) }
}

export function hasStakeForWeights(storage: StorageReader, netuid: number, hotkey: Uint8Array): boolean {
  return stakeOf(storage, netuid, hotkey).total >= storage.get(subtensor.StakeThreshold)
}

export function isZeroAccount(account: Uint8Array): boolean {
  return equalBytes(account, new Uint8Array(32))
}
