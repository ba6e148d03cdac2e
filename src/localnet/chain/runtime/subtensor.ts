import {
  at,
  bool,
  bytes,
  type FieldsValue,
  tuple,
  u8,
  u16,
  u32,
  u64,
  u128,
  type VariantValue,
  vec,
} from '../scale/index.js'
import { blake2Concat, identity, map, optionalMap, palletItems, plain, twoxConcat } from '../storage/index.js'
import { axonInfo, boundedBytes, epochConsensus, minerCollateral, prometheusInfo } from './neuron-types.js'
import { accountId, h256 } from './types.js'

const ZERO_ACCOUNT = new Uint8Array(32)
/** 𝜏, the default subnet token symbol, in UTF-8. */
const TAU = Uint8Array.of(0xf0, 0x9d, 0x9c, 0x8f)

const byNetuid = [identity(u16)] as const
const byNetuidTwox = [twoxConcat(u16)] as const
const byUid = [identity(u16), identity(u16)] as const
const byHotkey = [identity(u16), blake2Concat(accountId)] as const
const byAccount = [blake2Concat(accountId)] as const
const byHotkeyFirst = [blake2Concat(accountId), identity(u16)] as const
/** The storage index of a mechanism (mecid * 4096 + netuid), then the epoch. */
const byEpoch = [twoxConcat(u16), twoxConcat(u64)] as const

/** The largest commit of any dialect; a call is bounded by its own dialect before it is stored. */
const MAX_COMMIT_BYTES = 32 * 1024
const commitBytes = boundedBytes(MAX_COMMIT_BYTES)

/** Storage items of SubtensorModule in all dialects, with the defaults of the real runtime. */
export const subtensor = palletItems('SubtensorModule', {
  // keys and stake
  Owner: map(byAccount, accountId, ZERO_ACCOUNT),
  TotalHotkeyAlpha: map(byHotkeyFirst, u64, 0n),
  IsNetworkMember: map(byHotkeyFirst, bool, false),
  StakeThreshold: plain(u64, 0n),
  TaoWeight: plain(u64, 971718665099567868n),
  TotalStake: plain(u64, 0n),

  // subnet
  NetworksAdded: map(byNetuid, bool, false),
  NetworkRegisteredAt: map(byNetuid, u64, 0n),
  TokenSymbol: map(byNetuid, bytes, TAU),
  SubnetOwner: map(byNetuid, accountId, ZERO_ACCOUNT),
  SubnetOwnerHotkey: map(byNetuid, accountId, ZERO_ACCOUNT),
  MechanismCountCurrent: map(byNetuidTwox, u8, 1),
  SubnetworkN: map(byNetuid, u16, 0),
  TotalNetworks: plain(u16, 0),

  // hyperparameters
  Tempo: map(byNetuid, u16, 360),
  Rho: map(byNetuid, u16, 10),
  Kappa: map(byNetuid, u16, 32_767),
  ImmunityPeriod: map(byNetuid, u16, 4096),
  ActivityCutoff: map(byNetuid, u16, 5000),
  MinAllowedUids: map(byNetuid, u16, 64),
  MaxAllowedUids: map(byNetuid, u16, 256),
  MaxAllowedValidators: map(byNetuid, u16, 128),
  MinAllowedWeights: map(byNetuid, u16, 1024),
  MaxWeightsLimit: map(byNetuid, u16, 65_535),
  WeightsVersionKey: map(byNetuid, u64, 0n),
  WeightsSetRateLimit: map(byNetuid, u64, 100n),
  ServingRateLimit: map(byNetuid, u64, 50n),
  BondsMovingAverage: map(byNetuid, u64, 900_000n),
  Burn: map(byNetuid, u64, 100_000_000n),
  MinBurn: map(byNetuid, u64, 500_000n),
  MaxBurn: map(byNetuid, u64, 100_000_000_000n),
  Difficulty: map(byNetuid, u64, 10_000_000n),
  AdjustmentInterval: map(byNetuid, u16, 100),
  TargetRegistrationsPerInterval: map(byNetuid, u16, 2),
  NetworkRegistrationAllowed: map(byNetuid, bool, true),
  NetworkPowRegistrationAllowed: map(byNetuid, bool, true),
  LiquidAlphaOn: map([blake2Concat(u16)], bool, false),
  AlphaValues: map(byNetuid, tuple(u16, u16), [45_875, 58_982]),

  // commit-reveal
  CommitRevealWeightsEnabled: map(byNetuid, bool, true),
  CommitRevealWeightsVersion: plain(u16, 4),
  RevealPeriodEpochs: map(byNetuidTwox, u64, 1n),
  TimelockedWeightCommits: map(byEpoch, vec(tuple(accountId, u64, commitBytes, u64)), []),
  CRV3WeightCommits: map(byEpoch, vec(tuple(accountId, commitBytes, u64)), []),
  CRV3WeightCommitsV2: map(byEpoch, vec(tuple(accountId, u64, commitBytes, u64)), []),
  WeightCommits: optionalMap([twoxConcat(u16), twoxConcat(accountId)], vec(tuple(h256, u64, u64, u64))),

  // epochs
  LastEpochBlock: map(byNetuid, u64, 0n),
  PendingEpochAt: map(byNetuid, u64, 0n),
  SubnetEpochIndex: map(byNetuid, u64, 0n),
  BlocksSinceLastStep: map(byNetuid, u64, 0n),
  LastMechansimStepBlock: map(byNetuid, u64, 0n),
  ActivityCutoffFactorMilli: map(byNetuid, u32, 13_889),
  SubnetEpochConsensus: map(byNetuid, epochConsensus, { type: 'Yuma', value: undefined }),
  LastYumaStepBlock: optionalMap(byNetuid, u64),
  /** MaxAllowedValidators of before Null consensus, which allows one. */
  SavedYumaMaxAllowedValidators: optionalMap(byNetuid, u16),

  // neurons
  Uids: optionalMap(byHotkey, u16),
  Keys: map(byUid, accountId, ZERO_ACCOUNT),
  Active: map(byNetuid, vec(bool), []),
  Consensus: map(byNetuid, vec(u16), []),
  Incentive: map(byNetuid, vec(u16), []),
  Dividends: map(byNetuid, vec(u16), []),
  Emission: map(byNetuid, vec(u64), []),
  LastUpdate: map(byNetuid, vec(u64), []),
  ValidatorTrust: map(byNetuid, vec(u16), []),
  ValidatorPermit: map(byNetuid, vec(bool), []),
  Rank: map(byNetuid, vec(u16), []),
  Trust: map(byNetuid, vec(u16), []),
  PruningScores: map(byNetuid, vec(u16), []),
  Weights: map(byUid, vec(tuple(u16, u16)), []),
  Bonds: map(byUid, vec(tuple(u16, u16)), []),
  BlockAtRegistration: map(byUid, u64, 0n),
  Axons: optionalMap(byHotkey, axonInfo),
  Prometheus: optionalMap(byHotkey, prometheusInfo),
  /** By netuid, hotkey and coldkey. */
  MinerCollateral: optionalMap(
    [identity(u16), blake2Concat(accountId), blake2Concat(accountId)],
    minerCollateral,
  ),
})

const weightVector = { dests: vec(u16), weights: vec(u16), version_key: u64 } as const
const revealVector = { uids: vec(u16), values: vec(u16), salt: vec(u16), version_key: u64 } as const
const version = { commit_reveal_version: u16 } as const

/** Calls of SubtensorModule in all dialects, with the indexes and argument names of the real runtime. */
export function subtensorCallsOf(maxCommitBytes: number) {
  const timelocked = { commit: boundedBytes(maxCommitBytes), reveal_round: u64 } as const
  return {
    set_weights: at(0, { netuid: u16, ...weightVector }),
    add_stake: at(2, { hotkey: accountId, netuid: u16, amount_staked: u64 }),
    remove_stake: at(3, { hotkey: accountId, netuid: u16, amount_unstaked: u64 }),
    serve_axon: at(4, {
      netuid: u16,
      version: u32,
      ip: u128,
      port: u16,
      ip_type: u8,
      protocol: u8,
      placeholder1: u8,
      placeholder2: u8,
    }),
    register: at(6, {
      netuid: u16,
      block_number: u64,
      nonce: u64,
      work: bytes,
      hotkey: accountId,
      coldkey: accountId,
    }),
    burned_register: at(7, { netuid: u16, hotkey: accountId }),
    commit_weights: at(96, { netuid: u16, commit_hash: h256 }),
    reveal_weights: at(97, { netuid: u16, ...revealVector }),
    commit_crv3_weights: at(99, { netuid: u16, ...timelocked }),
    commit_timelocked_weights: at(113, { netuid: u16, ...timelocked, ...version }),
    commit_crv3_mechanism_weights: at(117, { netuid: u16, mecid: u8, ...timelocked }),
    commit_timelocked_mechanism_weights: at(118, { netuid: u16, mecid: u8, ...timelocked, ...version }),
    set_mechanism_weights: at(119, { netuid: u16, mecid: u8, ...weightVector }),
  } as const
}

type SubtensorCalls = ReturnType<typeof subtensorCallsOf>
export type SubtensorCall = VariantValue<SubtensorCalls>
export type CallName = SubtensorCall['type']
export type CallArguments<N extends CallName> = FieldsValue<SubtensorCalls[N]['fields']>

/** Events of SubtensorModule in all dialects, with the indexes of spec 425. */
export const subtensorEvents = {
  StakeAdded: at(2, [accountId, accountId, u64, u64, u16, u64]),
  StakeRemoved: at(3, [accountId, accountId, u64, u64, u16, u64]),
  WeightsSet: at(5, [u16, u16]),
  NeuronRegistered: at(6, [u16, u16, accountId]),
  AxonServed: at(28, [u16, accountId]),
  CRV3WeightsCommitted: at(84, [accountId, u16, h256]),
  WeightsCommitted: at(85, [accountId, u16, h256]),
  WeightsRevealed: at(86, [accountId, u16, h256]),
  CRV3WeightsRevealed: at(99, [u16, accountId]),
  TimelockedWeightsCommitted: at(107, [accountId, u16, h256, u64]),
  TimelockedWeightsRevealed: at(108, [u16, accountId]),
} as const

export type SubtensorEvent = VariantValue<typeof subtensorEvents>
