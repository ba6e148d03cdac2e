import {
  at,
  bytes,
  compactU32,
  compactU64,
  compactUnit,
  fixedBytes,
  newtype,
  str,
  struct,
  tuple,
  u8,
  u32,
  u64,
  u128,
  unit,
  unitVariants,
  variant,
  vec,
} from '../scale/index.js'

export const accountId = newtype('sp_core::crypto::AccountId32', fixedBytes(32))
export const h256 = newtype('primitive_types::H256', fixedBytes(32))

export const multiAddress = variant(
  'sp_runtime::multiaddress::MultiAddress',
  {
    Id: at(0, [accountId]),
    Index: at(1, [compactUnit]),
    Raw: at(2, [bytes]),
    Address32: at(3, [fixedBytes(32)]),
    Address20: at(4, [fixedBytes(20)]),
  },
  { AccountId: accountId, AccountIndex: unit },
)

export const multiSignature = variant('sp_runtime::MultiSignature', {
  Ed25519: at(0, [fixedBytes(64)]),
  Sr25519: at(1, [fixedBytes(64)]),
  Ecdsa: at(2, [fixedBytes(65)]),
})

export const weight = struct('sp_weights::weight_v2::Weight', {
  ref_time: compactU64,
  proof_size: compactU64,
})
export const dispatchClass = variant(
  'frame_support::dispatch::DispatchClass',
  unitVariants('Normal', 'Operational', 'Mandatory'),
)
const pays = variant('frame_support::dispatch::Pays', unitVariants('Yes', 'No'))
export const dispatchEventInfo = struct('frame_system::DispatchEventInfo', {
  weight,
  class: dispatchClass,
  pays_fee: pays,
})

export const phase = variant('frame_system::Phase', {
  ApplyExtrinsic: at(0, [u32]),
  Finalization: at(1, null),
  Initialization: at(2, null),
})

const extraFlags = newtype('pallet_balances::types::ExtraFlags', u128)
const accountData = struct(
  'pallet_balances::types::AccountData',
  { free: u64, reserved: u64, frozen: u64, flags: extraFlags },
  { Balance: u64 },
)
export const accountInfo = struct(
  'frame_system::AccountInfo',
  { nonce: u32, consumers: u32, providers: u32, sufficients: u32, data: accountData },
  { Nonce: u32, AccountData: accountData },
)

export const digestItem = variant('sp_runtime::generic::digest::DigestItem', {
  PreRuntime: at(6, [fixedBytes(4), bytes]),
  Consensus: at(4, [fixedBytes(4), bytes]),
  Seal: at(5, [fixedBytes(4), bytes]),
  Other: at(0, [bytes]),
  RuntimeEnvironmentUpdated: at(8, null),
})

export const digest = struct('sp_runtime::generic::digest::Digest', { logs: vec(digestItem) })
export const header = struct('sp_runtime::generic::header::Header', {
  parent_hash: h256,
  number: compactU32,
  state_root: h256,
  extrinsics_root: h256,
  digest,
})

const cowString = newtype('Cow', str, { T: str })
const apiList = vec(tuple(fixedBytes(8), u32))
const cowApis = newtype('Cow', apiList, { T: apiList })
export const runtimeVersion = struct('sp_version::RuntimeVersion', {
  spec_name: cowString,
  impl_name: cowString,
  authoring_version: u32,
  spec_version: u32,
  impl_version: u32,
  apis: cowApis,
  transaction_version: u32,
  system_version: u8,
})
export const lastRuntimeUpgrade = struct('frame_system::LastRuntimeUpgradeInfo', {
  spec_version: compactU32,
  spec_name: cowString,
})

export const fixedU128 = newtype('sp_arithmetic::fixed_point::FixedU128', u128)
export const opaqueMetadata = newtype('sp_core::OpaqueMetadata', bytes)
export const runtimeMarker = struct('node_subtensor_runtime::Runtime', {})
