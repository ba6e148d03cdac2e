import type { DevelopmentBeacon } from '../beacon/index.js'
import { drand, subtensor } from '../runtime/index.js'
import type { StorageWriter } from '../storage/index.js'
import type { PalletContext } from './context.js'
import { runEpoch } from './epoch.js'
import { revealCommits } from './reveals.js'
import { isEpochBlock } from './schedule.js'

/** How many pulses a block can store; the real off-chain worker fetches at most this many at once. */
const MAX_PULSES_PER_BLOCK = 50n
/** Older pulses are pruned. */
const MAX_STORED_PULSES = 2000n

export interface InitializeInputs {
  readonly netuids: readonly number[]
  /** Undefined while the beacon is silent. */
  readonly beacon: DevelopmentBeacon | undefined
  readonly nowMs: number
}

/**
 * The `on_initialize` hook of the pallets. Pulses come before reveals, which need them, and reveals before the epoch,
 * which counts the revealed weights.
 */
export function onInitialize(context: PalletContext, { netuids, beacon, nowMs }: InitializeInputs): void {
  if (beacon) storePulses(context, beacon, nowMs)
  for (const netuid of netuids) {
    revealCommits(context, netuid)
    const { storage } = context
    if (isEpochBlock(context, netuid)) runEpoch(context, netuid)
    else {
      const blocks = storage.get(subtensor.BlocksSinceLastStep, netuid)
      storage.set(subtensor.BlocksSinceLastStep, blocks + 1n, netuid)
    }
  }
}

/** Stores the pulses published since the previous block. */
function storePulses(context: PalletContext, beacon: DevelopmentBeacon, nowMs: number): void {
  const { storage } = context
  const last = storage.get(drand.LastStoredRound)
  const current = beacon.roundAt(nowMs)
  const newest = current - last > MAX_PULSES_PER_BLOCK ? last + MAX_PULSES_PER_BLOCK : current
  const rounds: bigint[] = []
  for (let round = last + 1n; round <= newest; round++) {
    storage.set(drand.Pulses, beacon.pulseOf(round), round)
    rounds.push(round)
  }
  if (rounds.length === 0) return
  storage.set(drand.LastStoredRound, newest)
  context.deposit({ type: 'Drand', value: { type: 'NewPulse', value: { rounds } } })
  prunePulses(storage, newest)
}

function prunePulses(storage: StorageWriter, newest: bigint): void {
  let oldest = storage.get(drand.OldestStoredRound)
  while (newest - oldest >= MAX_STORED_PULSES) storage.delete(drand.Pulses, oldest++)
  storage.set(drand.OldestStoredRound, oldest)
}
