import { TargonError } from '../kernel/index.js'
import type { LedgerEntry, WeightsLedger } from './ledger/index.js'
import type { WeightsStatus } from './weights-pipeline.js'

/**
 * Settles what a killed process, or a lost confirmation, left as `submitted`; the entry that turns out to have landed.
 * Of those with one nonce it is taken to be the newest: nothing outlives its epoch.
 */
export async function settlePending(
  ledger: WeightsLedger,
  standing: WeightsStatus,
): Promise<LedgerEntry | undefined> {
  const newest = ledger.entries.find(({ status }) => status === 'submitted')
  // With its nonce still free it may land yet; what is sent next has the same nonce, so only one of them can.
  if (newest?.nonce === undefined || standing.nonce <= newest.nonce) return undefined
  const hasLanded = standing.lastUpdateBlock > newest.block
  const landed: LedgerEntry = { ...newest, status: 'confirmed', block: standing.lastUpdateBlock }
  if (hasLanded) await ledger.write(landed)
  await giveUpPending(ledger)
  return hasLanded ? landed : undefined
}

/** The nonce all of them share is used up. */
export async function giveUpPending(ledger: WeightsLedger): Promise<void> {
  for (const entry of ledger.entries.filter(({ status }) => status === 'submitted')) {
    await ledger.write({ ...entry, status: 'refused', reason: 'its nonce was used otherwise' })
  }
}

/** The newest entry the chain took, whose block may have changed since. */
function newestConfirmed({ entries }: WeightsLedger): LedgerEntry | undefined {
  return entries.find(({ status }) => status === 'confirmed')
}

/** Notes where LastUpdate is now as the block of the newest update of ours. */
export async function moveConfirmed(ledger: WeightsLedger, standing: WeightsStatus): Promise<void> {
  const newest = newestConfirmed(ledger)
  if (newest) await ledger.write({ ...newest, block: standing.lastUpdateBlock })
}

/** Whether what the chain shows when a process starts is what the one before it did, or may have done. */
export function isOwnUpdate(ledger: WeightsLedger, { lastUpdateBlock, nonce }: WeightsStatus): boolean {
  const newest = newestConfirmed(ledger)
  const isUntouched = newest?.nonce !== undefined && nonce === newest.nonce + 1
  return (
    isUntouched ||
    ledger.entries.some(
      ({ status, block }) =>
        (status === 'confirmed' && block >= lastUpdateBlock) ||
        (status === 'submitted' && block <= lastUpdateBlock),
    )
  )
}

export function doppelganger(hotkey: string, standing: WeightsStatus): TargonError {
  return new TargonError(
    `Someone else set weights with hotkey ${hotkey} at block ${standing.lastUpdateBlock}.`,
    {
      code: 'HOTKEY_IN_USE',
      fault: 'hotkey-in-use',
      next: 'Stop the other validator that uses this hotkey, or give it one of its own.',
      facts: { ...standing },
    },
  )
}
