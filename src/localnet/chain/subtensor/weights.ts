import { subtensor } from '../runtime/index.js'
import { equalBytes } from '../scale/index.js'
import type { StorageReader } from '../storage/index.js'
import { depositEvent, ensure, type PalletContext } from './context.js'
import { hasStakeForWeights, isNullConsensus, mechanismExists, storageIndex } from './subnet.js'

const MAX_WEIGHT = 65_535

export interface WeightVector {
  readonly netuid: number
  readonly mecid: number
  readonly dests: readonly number[]
  readonly weights: readonly number[]
  readonly versionKey: bigint
}

/** `set_weights`: rejected while commit-reveal is enabled. @throws DispatchError */
export function dispatchSetWeights(context: PalletContext, hotkey: Uint8Array, vector: WeightVector): void {
  ensure(!context.storage.get(subtensor.CommitRevealWeightsEnabled, vector.netuid), 'CommitRevealEnabled')
  storeWeights(context, hotkey, vector)
}

/**
 * Checks a weight vector in the order of the real runtime (subnets/weights.rs) and stores it, scaled so that the largest
 * weight is 65535; Null consensus stores it as it is.
 *
 * @throws DispatchError
 */
export function storeWeights(context: PalletContext, hotkey: Uint8Array, vector: WeightVector): void {
  const { storage } = context
  const { netuid, mecid, dests, weights } = vector
  ensure(netuid !== 0, 'CanNotSetRootNetworkWeights')
  ensure(dests.length === weights.length, 'WeightVecNotEqualSize')
  ensure(mechanismExists(storage, netuid, mecid), 'MechanismDoesNotExist')
  const count = storage.get(subtensor.SubnetworkN, netuid)
  ensure(dests.length <= count, 'UidsLengthExceedUidsInSubNet')
  const uid = storage.get(subtensor.Uids, netuid, hotkey)
  ensure(uid !== undefined, 'HotKeyNotRegisteredInSubNet')
  ensure(hasStakeForWeights(storage, netuid, hotkey), 'NotEnoughStakeToSetWeights')
  const versionKey = storage.get(subtensor.WeightsVersionKey, netuid)
  ensure(versionKey === 0n || vector.versionKey >= versionKey, 'IncorrectWeightVersionKey')

  const index = storageIndex(netuid, mecid)
  const commitReveal = storage.get(subtensor.CommitRevealWeightsEnabled, netuid)
  ensure(
    commitReveal || isWithinRateLimit(storage, context.block, netuid, mecid, uid),
    'SettingWeightsTooFast',
  )

  const isSelfOnly = dests.length === 1 && dests[0] === uid
  const isOwner = equalBytes(storage.get(subtensor.SubnetOwnerHotkey, netuid), hotkey)
  const isNull = isNullConsensus(context, netuid)
  const needsPermit = isNull || !(isSelfOnly || isOwner)
  ensure(!needsPermit || hasPermit(storage, netuid, uid), 'NeuronNoValidatorPermit')
  ensure(new Set(dests).size === dests.length, 'DuplicateUids')
  ensure(
    dests.every((dest) => dest < count),
    'UidVecContainInvalidOne',
  )
  const shortest = Math.min(count, storage.get(subtensor.MinAllowedWeights, netuid))
  ensure(isSelfOnly || weights.length >= shortest, 'WeightVecLengthIsLow')

  const scaled = isNull ? weights : maxUpscale(weights)
  storage.set(
    subtensor.Weights,
    dests.map((dest, position) => [dest, scaled[position] ?? 0] as const),
    index,
    uid,
  )
  if (!commitReveal) storage.setElement(subtensor.LastUpdate, uid, BigInt(context.block), index)
  depositEvent(context, { type: 'WeightsSet', value: [index, uid] })
}

/** Whether enough blocks have passed since the uid's last update. */
export function isWithinRateLimit(
  storage: StorageReader,
  block: number,
  netuid: number,
  mecid: number,
  uid: number,
): boolean {
  const last = storage.get(subtensor.LastUpdate, storageIndex(netuid, mecid))[uid] ?? 0n
  return last === 0n || BigInt(block) - last >= storage.get(subtensor.WeightsSetRateLimit, netuid)
}

export function hasPermit(storage: StorageReader, netuid: number, uid: number): boolean {
  return storage.get(subtensor.ValidatorPermit, netuid)[uid] === true
}

function maxUpscale(weights: readonly number[]): readonly number[] {
  const largest = weights.reduce((max, weight) => Math.max(max, weight), 0)
  return weights.map((weight) => (largest === 0 ? 0 : Math.round((weight * MAX_WEIGHT) / largest)))
}
