import { subtensor } from '../runtime/index.js'
import type { PalletContext } from './context.js'
import { runEpoch } from './epoch.js'
import { isEpochBlock } from './schedule.js'

/** What the pallet does at the start of every block. */
export function onInitializeBlock(context: PalletContext, netuids: readonly number[]): void {
  for (const netuid of netuids) {
    const { storage } = context
    if (isEpochBlock(context, netuid)) runEpoch(context, netuid)
    else {
      const blocks = storage.get(subtensor.BlocksSinceLastStep, netuid)
      storage.set(subtensor.BlocksSinceLastStep, blocks + 1n, netuid)
    }
  }
}
