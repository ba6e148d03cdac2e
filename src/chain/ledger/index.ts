export { type HotkeyLock, type LockTimes, lockHotkey } from './hotkey-lock.js'
export {
  hashVector,
  type LedgerEntry,
  type LedgerOwner,
  openLedger,
  type WeightsLedger,
} from './weights-ledger.js'
