import { type EpochConsensus, subtensor } from '../runtime/index.js'
import type { StorageWriter } from '../storage/index.js'
import { ensure, type ReadContext } from './context.js'
import { pendingCommits } from './reveals.js'
import { hasConsensusModes } from './subnet.js'

/** How many neurons a subnet may have in each mode (DefaultMaxAllowedUids, NULL_UID_BUDGET). */
const MAX_UIDS: Readonly<Record<EpochConsensus, number>> = { Yuma: 256, Null: 2500 }

/**
 * Switches the consensus of a subnet from its next epoch on, as the owner's `sudo_set_epoch_consensus`
 * (subnets/mechanism.rs). Null consensus allows one validator; the old limit returns with Yuma consensus.
 *
 * @throws RangeError when the runtime has only Yuma consensus
 * @throws DispatchError InvalidValue while commits are pending, or with more neurons than the mode allows
 */
export function setConsensus(
  context: ReadContext & { readonly storage: StorageWriter },
  netuid: number,
  mode: EpochConsensus,
): void {
  if (!hasConsensusModes(context)) {
    throw new RangeError(
      `The runtime of spec ${context.dialect.specVersion} has no consensus modes; they exist since 474.`,
    )
  }
  const { storage } = context
  if (storage.get(subtensor.SubnetEpochConsensus, netuid).type === mode) return
  ensure(pendingCommits(context, netuid).length === 0, 'InvalidValue')
  ensure(storage.get(subtensor.SubnetworkN, netuid) <= MAX_UIDS[mode], 'InvalidValue')
  storage.set(subtensor.SubnetEpochConsensus, { type: mode, value: undefined }, netuid)
  if (mode === 'Null') {
    const limit = storage.get(subtensor.MaxAllowedValidators, netuid)
    storage.set(subtensor.SavedYumaMaxAllowedValidators, limit, netuid)
    storage.set(subtensor.MaxAllowedValidators, 1, netuid)
    return
  }
  const saved = storage.get(subtensor.SavedYumaMaxAllowedValidators, netuid)
  if (saved !== undefined) storage.set(subtensor.MaxAllowedValidators, saved, netuid)
  storage.delete(subtensor.SavedYumaMaxAllowedValidators, netuid)
}
