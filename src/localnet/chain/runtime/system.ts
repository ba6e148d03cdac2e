import { at, bytes, compactU64, u32, u64, unitVariants } from '../scale/index.js'
import { blake2Concat, map, optionalPlain, palletItems, plain, twoxConcat } from '../storage/index.js'
import { dispatchError } from './outcome-types.js'
import {
  accountId,
  accountInfo,
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
  EventCount: plain(u32, 0),
  LastRuntimeUpgrade: optionalPlain(lastRuntimeUpgrade),
})
export const systemCalls = {
  remark: at(0, { remark: bytes }),
  remark_with_event: at(7, { remark: bytes }),
} as const
export const systemEvents = {
  ExtrinsicSuccess: at(0, { dispatch_info: dispatchEventInfo }),
  ExtrinsicFailed: at(1, { dispatch_error: dispatchError, dispatch_info: dispatchEventInfo }),
  CodeUpdated: at(2, null),
  NewAccount: at(3, { account: accountId }),
  KilledAccount: at(4, { account: accountId }),
  Remarked: at(5, { sender: accountId, hash: h256 }),
} as const
export const systemErrors = unitVariants(
  'InvalidSpecName',
  'SpecVersionNeedsToIncrease',
  'FailedToExtractRuntimeVersion',
  'NonDefaultComposite',
  'NonZeroRefCount',
  'CallFiltered',
)

export const timestamp = palletItems('Timestamp', { Now: plain(u64, 0n) })
export const timestampCalls = { set: at(0, { now: compactU64 }) } as const

export const balances = palletItems('Balances', { TotalIssuance: plain(u64, 0n) })
export const balancesCalls = {
  transfer_allow_death: at(0, { dest: multiAddress, value: compactU64 }),
  transfer_keep_alive: at(3, { dest: multiAddress, value: compactU64 }),
} as const
export const balancesEvents = {
  Endowed: at(0, { account: accountId, free_balance: u64 }),
  Transfer: at(2, { from: accountId, to: accountId, amount: u64 }),
  Withdraw: at(8, { who: accountId, amount: u64 }),
} as const
export const balancesErrors = unitVariants(
  'VestingBalance',
  'LiquidityRestrictions',
  'InsufficientBalance',
  'ExistentialDeposit',
  'Expendability',
)

export const transactionPayment = palletItems('TransactionPayment', {
  NextFeeMultiplier: plain(fixedU128, 1_000_000_000_000_000_000n),
})
export const transactionPaymentEvents = {
  TransactionFeePaid: at(0, { who: accountId, actual_fee: u64, tip: u64 }),
} as const
