import { at, bytes, compactU64, u32, u64, unitVariants, variant } from '../scale/index.js'
import { blake2Concat, map, optionalPlain, palletItems, plain, twoxConcat } from '../storage/index.js'
import { dispatchError } from './outcome-types.js'
import {
  accountId,
  accountInfo,
  digest,
  dispatchEventInfo,
  fixedU128,
  h256,
  lastRuntimeUpgrade,
  multiAddress,
} from './types.js'

// The parts of System, Timestamp, Balances and TransactionPayment that clients use.
const ZERO_HASH = new Uint8Array(32)
/** Flag of accounts that use the new logic of pallet_balances. */
const NEW_LOGIC = 1n << 127n

export const system = palletItems('System', {
  Account: map([blake2Concat(accountId)], accountInfo, {
    nonce: 0,
    consumers: 0,
    providers: 0,
    sufficients: 0,
    data: { free: 0n, reserved: 0n, frozen: 0n, flags: NEW_LOGIC },
  }),
  BlockHash: map([twoxConcat(u32)], h256, ZERO_HASH),
  Number: plain(u32, 0),
  ParentHash: plain(h256, ZERO_HASH),
  Digest: plain(digest, { logs: [] }),
  EventCount: plain(u32, 0),
  LastRuntimeUpgrade: optionalPlain(lastRuntimeUpgrade),
})
export const systemCalls = variant('frame_system::pallet::Call', {
  remark: at(0, { remark: bytes }),
  remark_with_event: at(7, { remark: bytes }),
})
export const systemEvents = variant('frame_system::pallet::Event', {
  ExtrinsicSuccess: at(0, { dispatch_info: dispatchEventInfo }),
  ExtrinsicFailed: at(1, { dispatch_error: dispatchError, dispatch_info: dispatchEventInfo }),
  CodeUpdated: at(2, null),
  NewAccount: at(3, { account: accountId }),
  KilledAccount: at(4, { account: accountId }),
  Remarked: at(5, { sender: accountId, hash: h256 }),
})
export const systemErrors = variant(
  'frame_system::pallet::Error',
  unitVariants(
    'InvalidSpecName',
    'SpecVersionNeedsToIncrease',
    'FailedToExtractRuntimeVersion',
    'NonDefaultComposite',
    'NonZeroRefCount',
    'CallFiltered',
  ),
)

export const timestamp = palletItems('Timestamp', { Now: plain(u64, 0n) })
export const timestampCalls = variant('pallet_timestamp::pallet::Call', { set: at(0, { now: compactU64 }) })

export const balances = palletItems('Balances', { TotalIssuance: plain(u64, 0n) })
export const balancesCalls = variant('pallet_balances::pallet::Call', {
  transfer_allow_death: at(0, { dest: multiAddress, value: compactU64 }),
  transfer_keep_alive: at(3, { dest: multiAddress, value: compactU64 }),
})
export const balancesEvents = variant('pallet_balances::pallet::Event', {
  Endowed: at(0, { account: accountId, free_balance: u64 }),
  Transfer: at(2, { from: accountId, to: accountId, amount: u64 }),
  Deposit: at(7, { who: accountId, amount: u64 }),
  Withdraw: at(8, { who: accountId, amount: u64 }),
  Issued: at(15, { amount: u64 }),
})
export const balancesErrors = variant(
  'pallet_balances::pallet::Error',
  unitVariants(
    'VestingBalance',
    'LiquidityRestrictions',
    'InsufficientBalance',
    'ExistentialDeposit',
    'Expendability',
  ),
)

export const transactionPayment = palletItems('TransactionPayment', {
  NextFeeMultiplier: plain(fixedU128, 1_000_000_000_000_000_000n),
})
export const transactionPaymentEvents = variant('pallet_transaction_payment::pallet::Event', {
  TransactionFeePaid: at(0, { who: accountId, actual_fee: u64, tip: u64 }),
})
