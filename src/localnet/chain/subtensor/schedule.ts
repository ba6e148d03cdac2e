import { subtensor } from '../runtime/index.js'
import type { ReadContext } from './context.js'

/** An epoch is forced after this many blocks without one. */
const MAX_BLOCKS_WITHOUT_STEP = 50_400n

/** Whether the epoch of a subnet runs in this block. */
export function isEpochBlock(context: ReadContext, netuid: number): boolean {
  const { storage, dialect } = context
  const tempo = storage.get(subtensor.Tempo, netuid)
  if (tempo === 0) return false
  if (dialect.epochs === 'formula') return (context.block + netuid + 1) % (tempo + 1) === 0

  const block = BigInt(context.block)
  const pending = storage.get(subtensor.PendingEpochAt, netuid)
  if (pending > 0n && block >= pending) return true
  if (storage.get(subtensor.BlocksSinceLastStep, netuid) > MAX_BLOCKS_WITHOUT_STEP) return true
  return block - storage.get(subtensor.LastEpochBlock, netuid) >= BigInt(tempo)
}

/** The epoch index of this block while `on_initialize` runs, before the epoch itself. */
export function epochIndexOnInitialize(context: ReadContext, netuid: number): bigint {
  if (context.dialect.epochs === 'formula') return formulaIndex(context, netuid)
  const index = context.storage.get(subtensor.SubnetEpochIndex, netuid)
  return isEpochBlock(context, netuid) ? index + 1n : index
}

/** The epoch index of this block for its extrinsics. */
export function epochIndex(context: ReadContext, netuid: number): bigint {
  if (context.dialect.epochs === 'formula') return formulaIndex(context, netuid)
  return context.storage.get(subtensor.SubnetEpochIndex, netuid)
}

export function nextEpochStartBlock(context: ReadContext, netuid: number): bigint | undefined {
  const { storage } = context
  const tempo = BigInt(storage.get(subtensor.Tempo, netuid))
  if (tempo === 0n) return undefined
  if (context.dialect.epochs === 'formula') {
    return (formulaIndex(context, netuid) + 1n) * (tempo + 1n) - BigInt(netuid + 1)
  }
  const regular = storage.get(subtensor.LastEpochBlock, netuid) + tempo
  const pending = storage.get(subtensor.PendingEpochAt, netuid)
  return pending > 0n && pending < regular ? pending : regular
}

function formulaIndex(context: ReadContext, netuid: number): bigint {
  const tempo = context.storage.get(subtensor.Tempo, netuid)
  return BigInt(Math.floor((context.block + netuid + 1) / (tempo + 1)))
}
