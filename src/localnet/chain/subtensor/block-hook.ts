import type { DevelopmentBeacon } from '../beacon/index.js'
import { subtensor } from '../runtime/index.js'
import type { PalletContext } from './context.js'
import { runEpoch } from './epoch.js'
import { storePulses } from './pulses.js'
import { revealCommits } from './reveals.js'
import { isEpochBlock } from './schedule.js'

export interface InitializeInputs {
  readonly netuids: readonly number[]
  /** Undefined while the beacon is silent. */
  readonly beacon: DevelopmentBeacon | undefined
  readonly nowMs: number
}

/** What the pallets do at the start of every block: pulses, then reveals, then epochs, which count the revealed weights. */
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
