import { subtensor } from '../runtime/index.js'
import type { PalletContext } from './context.js'
import type { EpochOutput } from './epoch-types.js'
import { runNull } from './null-consensus.js'
import { isNullConsensus, stakeOf, storageIndex, uidsOf } from './subnet.js'
import { runYuma } from './yuma.js'

/** Emission of a subnet per epoch. */
export const EPOCH_EMISSION_RAO = 1_000_000_000
const MAX_U16 = 65_535

/** Runs consensus over the stored weights and stores its results. */
export function runEpoch(context: PalletContext, netuid: number): void {
  const { storage, block } = context
  const isNull = isNullConsensus(context, netuid)
  const output = computeEpoch(context, netuid, isNull)
  storeEpoch(context, netuid, output)
  storage.set(subtensor.LastEpochBlock, BigInt(block), netuid)
  storage.set(subtensor.LastMechansimStepBlock, BigInt(block), netuid)
  if (!isNull) storage.set(subtensor.LastYumaStepBlock, BigInt(block), netuid)
  storage.set(subtensor.BlocksSinceLastStep, 0n, netuid)
  storage.set(subtensor.PendingEpochAt, 0n, netuid)
  storage.set(subtensor.SubnetEpochIndex, storage.get(subtensor.SubnetEpochIndex, netuid) + 1n, netuid)
}

function computeEpoch({ storage, block }: PalletContext, netuid: number, isNull: boolean): EpochOutput {
  const index = storageIndex(netuid, 0)
  const uids = uidsOf(storage, netuid)
  const threshold = storage.get(subtensor.StakeThreshold)
  // Bonds survive a time under Null consensus, so their age counts from the last epoch that computed them.
  const lastStep =
    storage.get(subtensor.LastYumaStepBlock, netuid) ?? storage.get(subtensor.LastMechansimStepBlock, netuid)
  const run = isNull ? runNull : runYuma
  return run({
    block,
    tempo: storage.get(subtensor.Tempo, netuid),
    stake: uids.map((uid) => {
      const { total } = stakeOf(storage, netuid, storage.get(subtensor.Keys, netuid, uid))
      return total < threshold ? 0 : Number(total)
    }),
    permits: storage.get(subtensor.ValidatorPermit, netuid),
    lastUpdate: storage.get(subtensor.LastUpdate, index).map(Number),
    registeredAt: uids.map((uid) => Number(storage.get(subtensor.BlockAtRegistration, netuid, uid))),
    lastStepBlock: Number(lastStep),
    activityCutoff: storage.get(subtensor.ActivityCutoff, netuid),
    maxValidators: storage.get(subtensor.MaxAllowedValidators, netuid),
    kappa: storage.get(subtensor.Kappa, netuid) / MAX_U16,
    bondsMovingAverage: Number(storage.get(subtensor.BondsMovingAverage, netuid)) / 1_000_000,
    weights: uids.map((uid) => storage.get(subtensor.Weights, index, uid)),
    bonds: uids.map((uid) => storage.get(subtensor.Bonds, index, uid)),
  })
}

function storeEpoch({ storage }: PalletContext, netuid: number, output: EpochOutput): void {
  const index = storageIndex(netuid, 0)
  const emission = output.emission.map((share) => BigInt(Math.floor(share * EPOCH_EMISSION_RAO)))
  const hadPermit = storage.get(subtensor.ValidatorPermit, netuid)
  storage.set(subtensor.Active, output.active, netuid)
  storage.set(subtensor.Emission, emission, netuid)
  storage.set(subtensor.Consensus, output.consensus.map(toU16), netuid)
  storage.set(subtensor.Incentive, output.incentive.map(toU16), index)
  storage.set(subtensor.Dividends, output.dividends.map(toU16), netuid)
  storage.set(subtensor.ValidatorTrust, output.validatorTrust.map(toU16), netuid)
  storage.set(subtensor.ValidatorPermit, output.permits, netuid)
  output.bonds?.forEach((row, uid) => {
    const pairs = row.map((bond, other) => [other, toU16(bond)] as const)
    if (output.permits[uid]) storage.set(subtensor.Bonds, pairs, index, uid)
    else if (hadPermit[uid]) storage.set(subtensor.Bonds, [], index, uid)
  })
  output.dividendShare.forEach((share, uid) => {
    const earnedRao = BigInt(Math.floor(share * EPOCH_EMISSION_RAO))
    if (earnedRao === 0n) return
    const hotkey = storage.get(subtensor.Keys, netuid, uid)
    const alpha = storage.get(subtensor.TotalHotkeyAlpha, hotkey, netuid)
    storage.set(subtensor.TotalHotkeyAlpha, alpha + earnedRao, hotkey, netuid)
  })
}

function toU16(share: number): number {
  return Math.floor(Math.min(1, share) * MAX_U16)
}
