import {
  type AnyType,
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
  vec,
} from '../scale/index.js'
import { axonInfo, chainIdentity, fixedI128, subnetIdentity } from './neuron-types.js'
import { accountId } from './types.js'

/** `Compact<u16>` for a value that later runtimes store in 64 bits. The compact bytes are the same. */
export const u16Cutoff: ScaleType<bigint> = {
  ...compactU64,
  key: compactU16.key,
  describe: compactU16.describe,
}

/** Fields of the metagraph. Their order also defines the field indexes of the selective metagraph. */
const metagraphFields = {
  netuid: compactU16,
  name: vec(compactU8),
  symbol: vec(compactU8),
  identity: option(subnetIdentity),
  network_registered_at: compactU64,
  owner_hotkey: accountId,
  owner_coldkey: accountId,
  block: compactU64,
  tempo: compactU16,
  last_step: compactU64,
  blocks_since_last_step: compactU64,
  subnet_emission: compactU64,
  alpha_in: compactU64,
  alpha_out: compactU64,
  tao_in: compactU64,
  alpha_out_emission: compactU64,
  alpha_in_emission: compactU64,
  tao_in_emission: compactU64,
  pending_alpha_emission: compactU64,
  pending_root_emission: compactU64,
  subnet_volume: compactU128,
  moving_price: fixedI128,
  rho: compactU16,
  kappa: compactU16,
  min_allowed_weights: compactU16,
  max_weights_limit: compactU16,
  weights_version: compactU64,
  weights_rate_limit: compactU64,
  activity_cutoff: compactU64,
  max_validators: compactU16,
  num_uids: compactU16,
  max_uids: compactU16,
  burn: compactU64,
  difficulty: compactU64,
  registration_allowed: bool,
  pow_registration_allowed: bool,
  immunity_period: compactU16,
  min_difficulty: compactU64,
  max_difficulty: compactU64,
  min_burn: compactU64,
  max_burn: compactU64,
  adjustment_alpha: compactU64,
  adjustment_interval: compactU16,
  target_regs_per_interval: compactU16,
  max_regs_per_block: compactU16,
  serving_rate_limit: compactU64,
  commit_reveal_weights_enabled: bool,
  commit_reveal_period: compactU64,
  liquid_alpha_enabled: bool,
  alpha_high: compactU16,
  alpha_low: compactU16,
  bonds_moving_avg: compactU64,
  hotkeys: vec(accountId),
  coldkeys: vec(accountId),
  identities: vec(option(chainIdentity)),
  axons: vec(axonInfo),
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
  tao_dividends_per_hotkey: vec(tuple(accountId, compactU64)),
  alpha_dividends_per_hotkey: vec(tuple(accountId, compactU64)),
} as const

/** Columns that later runtimes append, in alpha. */
const collateralFields = {
  collateral_locked: vec(compactU64),
  collateral_min: vec(compactU64),
  collateral_earned: vec(compactU64),
} as const

/** The return type has the collateral columns in every dialect, so that the code compiles against one type. */
export function metagraphType(cutoff: ScaleType<bigint>, hasCollateral: boolean) {
  const all = { ...metagraphFields, activity_cutoff: cutoff, ...collateralFields }
  const present = hasCollateral ? all : { ...metagraphFields, activity_cutoff: cutoff }
  return struct('pallet_subtensor::rpc_info::metagraph::Metagraph', present as typeof all, {
    AccountId: accountId,
  })
}
export type Metagraph = Infer<ReturnType<typeof metagraphType>>

/** The fields of the selective metagraph by their indexes: two more stand between the metagraph's and the collateral. */
export const SELECTIVE_FIELDS: readonly string[] = [
  ...Object.keys(metagraphFields),
  'validators',
  'commitments',
  ...Object.keys(collateralFields),
]

/** The metagraph with each field optional: only requested indexes are present. */
export function selectiveMetagraphType(
  cutoff: ScaleType<bigint>,
  hasCollateral: boolean,
): ScaleType<Readonly<Record<string, unknown>>> {
  const { netuid, ...others } = { ...metagraphFields, activity_cutoff: cutoff }
  const fields: { readonly [name: string]: AnyType } = {
    netuid,
    ...optional(others),
    validators: option(vec(compactU16)),
    commitments: option(vec(tuple(accountId, vec(compactU8)))),
    ...(hasCollateral ? optional(collateralFields) : {}),
  }
  return struct('pallet_subtensor::rpc_info::metagraph::SelectiveMetagraph', fields, { AccountId: accountId })
}

function optional(fields: Readonly<Record<string, unknown>>): { readonly [name: string]: AnyType } {
  return Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, option(type as AnyType)]))
}

export function hyperparametersType(cutoff: ScaleType<bigint>) {
  return struct('pallet_subtensor::rpc_info::subnet_info::SubnetHyperparams', {
    rho: compactU16,
    kappa: compactU16,
    immunity_period: compactU16,
    min_allowed_weights: compactU16,
    max_weights_limit: compactU16,
    tempo: compactU16,
    min_difficulty: compactU64,
    max_difficulty: compactU64,
    weights_version: compactU64,
    weights_rate_limit: compactU64,
    adjustment_interval: compactU16,
    activity_cutoff: cutoff,
    registration_allowed: bool,
    target_regs_per_interval: compactU16,
    min_burn: compactU64,
    max_burn: compactU64,
    bonds_moving_avg: compactU64,
    max_regs_per_block: compactU16,
    serving_rate_limit: compactU64,
    max_validators: compactU16,
    adjustment_alpha: compactU64,
    difficulty: compactU64,
    commit_reveal_period: compactU64,
    commit_reveal_weights_enabled: bool,
    alpha_high: compactU16,
    alpha_low: compactU16,
    liquid_alpha_enabled: bool,
  })
}
export type Hyperparameters = Infer<ReturnType<typeof hyperparametersType>>
