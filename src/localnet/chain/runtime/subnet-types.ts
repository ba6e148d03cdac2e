import {
  bool,
  compactU8,
  compactU16,
  compactU64,
  compactU128,
  type Infer,
  option,
  type ScaleType,
  struct,
  tuple,
  u16,
  u64,
  vec,
} from '../scale/index.js'
import { fixedI128, subnetIdentity } from './neuron-types.js'
import { accountId } from './types.js'

// What clients read of a subnet besides the metagraph.

const OF_ACCOUNT = { AccountId: accountId }

/** `[u16; 2]`. */
const u16Pair: ScaleType<readonly [number, number]> = {
  ...tuple(u16, u16),
  key: '[u16;2]',
  describe: () => ({ definition: { kind: 'array', item: u16, length: 2 } }),
}

export const dynamicInfo = struct(
  'pallet_subtensor::rpc_info::dynamic_info::DynamicInfo',
  {
    netuid: compactU16,
    owner_hotkey: accountId,
    owner_coldkey: accountId,
    subnet_name: vec(compactU8),
    token_symbol: vec(compactU8),
    tempo: compactU16,
    last_step: compactU64,
    blocks_since_last_step: compactU64,
    emission: compactU64,
    alpha_in: compactU64,
    alpha_out: compactU64,
    tao_in: compactU64,
    alpha_out_emission: compactU64,
    alpha_in_emission: compactU64,
    tao_in_emission: compactU64,
    pending_alpha_emission: compactU64,
    pending_root_emission: compactU64,
    subnet_volume: compactU128,
    network_registered_at: compactU64,
    subnet_identity: option(subnetIdentity),
    moving_price: fixedI128,
  },
  OF_ACCOUNT,
)
export type DynamicInfo = Infer<typeof dynamicInfo>

export const subnetState = struct(
  'pallet_subtensor::rpc_info::show_subnet::SubnetState',
  {
    netuid: compactU16,
    hotkeys: vec(accountId),
    coldkeys: vec(accountId),
    active: vec(bool),
    validator_permit: vec(bool),
    pruning_score: vec(compactU16),
    last_update: vec(compactU64),
    emission: vec(compactU64),
    dividends: vec(compactU16),
    incentives: vec(compactU16),
    consensus: vec(compactU16),
    trust: vec(compactU16),
    rank: vec(compactU16),
    block_at_registration: vec(compactU64),
    alpha_stake: vec(compactU64),
    tao_stake: vec(compactU64),
    total_stake: vec(compactU64),
    emission_history: vec(vec(compactU64)),
  },
  OF_ACCOUNT,
)
export type SubnetState = Infer<typeof subnetState>

export const subnetInfo = struct(
  'pallet_subtensor::rpc_info::subnet_info::SubnetInfov2',
  {
    netuid: compactU16,
    rho: compactU16,
    kappa: compactU16,
    difficulty: compactU64,
    immunity_period: compactU16,
    max_allowed_validators: compactU16,
    min_allowed_weights: compactU16,
    max_weights_limit: compactU16,
    scaling_law_power: compactU16,
    subnetwork_n: compactU16,
    max_allowed_uids: compactU16,
    blocks_since_last_step: compactU64,
    tempo: compactU16,
    network_modality: compactU16,
    network_connect: vec(u16Pair),
    emission_value: compactU64,
    burn: compactU64,
    owner: accountId,
    identity: option(subnetIdentity),
  },
  OF_ACCOUNT,
)
export type SubnetInfo = Infer<typeof subnetInfo>

export const subnetPrice = struct('pallet_subtensor_swap_runtime_api::SubnetPrice', {
  netuid: u16,
  price: u64,
})
