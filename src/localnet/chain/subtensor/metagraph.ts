import {
  type Hyperparameters,
  type Metagraph,
  NO_AXON,
  SELECTIVE_FIELDS,
  subtensor,
} from '../runtime/index.js'
import { utf8 } from '../scale/index.js'
import type { StorageReader } from '../storage/index.js'
import type { ReadContext } from './context.js'
import { neuronVectors } from './neurons.js'
import { mechanismExists, stakeOf, subnetExists, uidsOf } from './subnet.js'

const SUBNET_NAME = 'Targon'

export function hyperparametersOf({ storage }: ReadContext, netuid: number): Hyperparameters | undefined {
  if (!subnetExists(storage, netuid)) return undefined
  const [alphaLow, alphaHigh] = storage.get(subtensor.AlphaValues, netuid)
  return {
    rho: storage.get(subtensor.Rho, netuid),
    kappa: storage.get(subtensor.Kappa, netuid),
    immunity_period: storage.get(subtensor.ImmunityPeriod, netuid),
    min_allowed_weights: storage.get(subtensor.MinAllowedWeights, netuid),
    max_weights_limit: storage.get(subtensor.MaxWeightsLimit, netuid),
    tempo: storage.get(subtensor.Tempo, netuid),
    min_difficulty: storage.get(subtensor.Difficulty, netuid),
    max_difficulty: storage.get(subtensor.Difficulty, netuid),
    weights_version: storage.get(subtensor.WeightsVersionKey, netuid),
    weights_rate_limit: storage.get(subtensor.WeightsSetRateLimit, netuid),
    adjustment_interval: storage.get(subtensor.AdjustmentInterval, netuid),
    activity_cutoff: BigInt(storage.get(subtensor.ActivityCutoff, netuid)),
    registration_allowed: storage.get(subtensor.NetworkRegistrationAllowed, netuid),
    target_regs_per_interval: storage.get(subtensor.TargetRegistrationsPerInterval, netuid),
    min_burn: storage.get(subtensor.MinBurn, netuid),
    max_burn: storage.get(subtensor.MaxBurn, netuid),
    bonds_moving_avg: storage.get(subtensor.BondsMovingAverage, netuid),
    max_regs_per_block: 1,
    serving_rate_limit: storage.get(subtensor.ServingRateLimit, netuid),
    max_validators: storage.get(subtensor.MaxAllowedValidators, netuid),
    adjustment_alpha: 0n,
    difficulty: storage.get(subtensor.Difficulty, netuid),
    commit_reveal_period: storage.get(subtensor.RevealPeriodEpochs, netuid),
    commit_reveal_weights_enabled: storage.get(subtensor.CommitRevealWeightsEnabled, netuid),
    alpha_high: alphaHigh,
    alpha_low: alphaLow,
    liquid_alpha_enabled: storage.get(subtensor.LiquidAlphaOn, netuid),
  }
}

/** Undefined when the subnet or the mechanism does not exist. */
export function metagraphOf(context: ReadContext, netuid: number, mecid: number): Metagraph | undefined {
  const { storage, block } = context
  const parameters = hyperparametersOf(context, netuid)
  if (!parameters || !mechanismExists(storage, netuid, mecid)) return undefined
  const uids = uidsOf(storage, netuid)
  const hotkeys = uids.map((uid) => storage.get(subtensor.Keys, netuid, uid))
  const stakes = hotkeys.map((hotkey) => stakeOf(storage, netuid, hotkey))
  const vectors = neuronVectors(storage, netuid, mecid)
  const lastStep = storage.get(subtensor.LastMechansimStepBlock, netuid)
  const coldkeys = hotkeys.map((hotkey) => storage.get(subtensor.Owner, hotkey))
  return {
    ...parameters,
    ...noPools(),
    netuid,
    name: [...utf8(SUBNET_NAME)],
    symbol: [...storage.get(subtensor.TokenSymbol, netuid)],
    identity: undefined,
    network_registered_at: storage.get(subtensor.NetworkRegisteredAt, netuid),
    owner_hotkey: storage.get(subtensor.SubnetOwnerHotkey, netuid),
    owner_coldkey: storage.get(subtensor.SubnetOwner, netuid),
    block: BigInt(block),
    last_step: lastStep,
    blocks_since_last_step: BigInt(block) - lastStep,
    num_uids: uids.length,
    max_uids: storage.get(subtensor.MaxAllowedUids, netuid),
    burn: storage.get(subtensor.Burn, netuid),
    pow_registration_allowed: false,
    hotkeys,
    coldkeys,
    identities: uids.map(() => undefined),
    axons: hotkeys.map((hotkey) => storage.get(subtensor.Axons, netuid, hotkey) ?? NO_AXON),
    active: vectors.active,
    validator_permit: vectors.permits,
    // The real runtime removed these and returns empty vectors.
    pruning_score: [],
    trust: [],
    rank: [],
    last_update: vectors.lastUpdate,
    emission: vectors.emission,
    dividends: vectors.dividends,
    incentives: vectors.incentive,
    consensus: vectors.consensus,
    block_at_registration: uids.map((uid) => storage.get(subtensor.BlockAtRegistration, netuid, uid)),
    alpha_stake: stakes.map((stake) => stake.alpha),
    tao_stake: stakes.map((stake) => stake.tao),
    total_stake: stakes.map((stake) => stake.total),
    tao_dividends_per_hotkey: hotkeys.map((hotkey) => [hotkey, 0n] as const),
    alpha_dividends_per_hotkey: hotkeys.map((hotkey) => [hotkey, 0n] as const),
    ...collateralOf(storage, netuid, hotkeys, coldkeys),
  }
}

/** The fields with the given indexes; the others are absent. */
export function selectMetagraph(
  metagraph: Metagraph | undefined,
  indexes: readonly number[],
): Readonly<Record<string, unknown>> | undefined {
  if (!metagraph) return undefined
  const values: Readonly<Record<string, unknown>> = {
    ...metagraph,
    validators: metagraph.validator_permit.flatMap((permit, uid) => (permit ? [uid] : [])),
    commitments: [],
  }
  const selected = indexes.flatMap((index) => {
    const field = SELECTIVE_FIELDS[index]
    return field === undefined ? [] : [[field, values[field]] as const]
  })
  return { ...Object.fromEntries(selected), netuid: metagraph.netuid }
}

/** What the coldkey of each neuron has locked; dialects without collateral leave these columns out. */
function collateralOf(
  storage: StorageReader,
  netuid: number,
  hotkeys: readonly Uint8Array[],
  coldkeys: readonly Uint8Array[],
) {
  const states = hotkeys.map((hotkey, uid) => {
    const coldkey = coldkeys[uid]
    return coldkey && storage.get(subtensor.MinerCollateral, netuid, hotkey, coldkey)
  })
  return {
    collateral_locked: states.map((state) => state?.locked ?? 0n),
    collateral_min: states.map((state) => state?.min_locked ?? 0n),
    collateral_earned: states.map((state) => state?.earned ?? 0n),
  }
}

/** Liquidity and emission of the pools, which the development chain does not have. */
function noPools() {
  return {
    subnet_emission: 0n,
    alpha_in: 0n,
    alpha_out: 0n,
    tao_in: 0n,
    alpha_out_emission: 0n,
    alpha_in_emission: 0n,
    tao_in_emission: 0n,
    pending_alpha_emission: 0n,
    pending_root_emission: 0n,
    subnet_volume: 0n,
    moving_price: { bits: 0n },
  } as const
}
