import {
  bool,
  bytes,
  compactU16,
  compactU64,
  type Infer,
  i128,
  newtype,
  type ScaleType,
  struct,
  tuple,
  u8,
  u16,
  u32,
  u64,
  u128,
  unitVariants,
  variant,
  vec,
} from '../scale/index.js'
import { accountId } from './types.js'

export const axonInfo = struct('pallet_subtensor::pallet::AxonInfo', {
  block: u64,
  version: u32,
  ip: u128,
  port: u16,
  ip_type: u8,
  protocol: u8,
  placeholder1: u8,
  placeholder2: u8,
})
export type AxonInfo = Infer<typeof axonInfo>
export const NO_AXON: AxonInfo = {
  block: 0n,
  version: 0,
  ip: 0n,
  port: 0,
  ip_type: 0,
  protocol: 0,
  placeholder1: 0,
  placeholder2: 0,
}

export const prometheusInfo = struct('pallet_subtensor::pallet::PrometheusInfo', {
  block: u64,
  version: u32,
  ip: u128,
  port: u16,
  ip_type: u8,
})

/** The ciphertext of a time-locked commit. @param maxBytes MAX_CRV3_COMMIT_SIZE_BYTES of the runtime */
export function boundedBytes(maxBytes: number): ScaleType<Uint8Array> {
  const limited: ScaleType<Uint8Array> = {
    ...bytes,
    decode: (reader) => {
      const value = bytes.decode(reader)
      if (value.length > maxBytes) throw new Error('BoundedVec exceeds its limit')
      return value
    },
  }
  return newtype('bounded_collections::bounded_vec::BoundedVec', limited, { T: u8, S: undefined })
}

export const fixedI128 = struct('substrate_fixed::FixedI128', { bits: i128 })
const fixedU128 = struct('substrate_fixed::FixedU128', { bits: u128 })

/** What a miner has locked on a subnet, in alpha. */
export const minerCollateral = struct('pallet_subtensor::pallet::MinerCollateralState', {
  locked: u64,
  drain_ratio: fixedU128,
  min_locked: u64,
  earned: u64,
})

export const epochConsensus = variant(
  'pallet_subtensor::pallet::EpochConsensus',
  unitVariants('Yuma', 'Null'),
)
export type EpochConsensus = Infer<typeof epochConsensus>['type']

export const subnetIdentity = struct('pallet_subtensor::pallet::SubnetIdentityV3', {
  subnet_name: bytes,
  github_repo: bytes,
  subnet_contact: bytes,
  subnet_url: bytes,
  discord: bytes,
  description: bytes,
  logo_url: bytes,
  additional: bytes,
})

export const chainIdentity = struct('pallet_subtensor::pallet::ChainIdentityV2', {
  name: bytes,
  url: bytes,
  github_repo: bytes,
  image: bytes,
  discord: bytes,
  description: bytes,
  additional: bytes,
})

const beforeWeights = {
  hotkey: accountId,
  coldkey: accountId,
  uid: compactU16,
  netuid: compactU16,
  active: bool,
  axon_info: axonInfo,
  prometheus_info: prometheusInfo,
  stake: vec(tuple(accountId, compactU64)),
  rank: compactU16,
  emission: compactU64,
  incentive: compactU16,
  consensus: compactU16,
  trust: compactU16,
  validator_trust: compactU16,
  dividends: compactU16,
  last_update: compactU64,
  validator_permit: bool,
} as const

export const neuronInfoLite = struct(
  'pallet_subtensor::rpc_info::neuron_info::NeuronInfoLite',
  { ...beforeWeights, pruning_score: compactU16 },
  { AccountId: accountId },
)
export type NeuronInfoLite = Infer<typeof neuronInfoLite>

export const neuronInfo = struct(
  'pallet_subtensor::rpc_info::neuron_info::NeuronInfo',
  {
    ...beforeWeights,
    weights: vec(tuple(compactU16, compactU16)),
    bonds: vec(tuple(compactU16, compactU16)),
    pruning_score: compactU16,
  },
  { AccountId: accountId },
)
export type NeuronInfo = Infer<typeof neuronInfo>
