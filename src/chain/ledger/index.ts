export {
  hashVector,
  type LedgerEntry,
  type LedgerOwner,
  openLedger,
  type WeightsLedger,
} from './weights-ledger.js'
