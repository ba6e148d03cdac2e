import { TargonError } from '../kernel/index.js'
import type { LedgerEntry, WeightsLedger } from './weights-ledger.js'
import type { WeightsStatus } from './weights-types.js'

/**
 * Settles entries that a killed process or a lost confirmation left as `submitted`. They share one nonce, so at most one of
 * them landed; it is taken to be the newest, because no extrinsic outlives its epoch.
 *
 * @returns the entry that landed.
 */
export async function settleSubmitted(
  ledger: WeightsLedger,
  status: WeightsStatus,
): Promise<LedgerEntry | undefined> {
  const newest = ledger.entries.find((entry) => entry.status === 'submitted')
  // While its nonce is unused it may still land. The next submission uses the same nonce, so only one of them can.
  if (newest?.nonce === undefined || status.nonce <= newest.nonce) return undefined
  const hasLanded = status.lastUpdateBlock > newest.block
  const landed: LedgerEntry = { ...newest, status: 'confirmed', block: status.lastUpdateBlock }
  if (hasLanded) await ledger.write(landed)
  await discardSubmitted(ledger)
  return hasLanded ? landed : undefined
}

/** Marks all entries still `submitted` as refused, once their common nonce is used. */
export async function discardSubmitted(ledger: WeightsLedger): Promise<void> {
  for (const entry of ledger.entries.filter(({ status }) => status === 'submitted')) {
    await ledger.write({ ...entry, status: 'refused', reason: 'its nonce was used by another extrinsic' })
  }
}

export function newestConfirmed({ entries }: WeightsLedger): LedgerEntry | undefined {
  return entries.find(({ status }) => status === 'confirmed')
}

/** Moves our newest confirmed entry to the block where LastUpdate is now. */
export async function moveConfirmed(ledger: WeightsLedger, status: WeightsStatus): Promise<void> {
  const newest = newestConfirmed(ledger)
  if (newest) await ledger.write({ ...newest, block: status.lastUpdateBlock })
}

/** Whether the ledger explains the LastUpdate found at the start of this process. */
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

export function hotkeyInUse(hotkey: string, status: WeightsStatus): TargonError {
  return new TargonError(
    `Another validator set weights with hotkey ${hotkey} at block ${status.lastUpdateBlock}.`,
    {
      code: 'HOTKEY_IN_USE',
      fault: 'hotkey-in-use',
      next: 'Stop the other validator that uses this hotkey, or give it a different hotkey.',
      facts: { ...status },
    },
  )
}
