import { bool, bytes, tuple, u8, u16, u32, u64, vec } from '../scale/index.js'
import { blake2Concat, identity, map, optionalMap, placeItems, plain, twoxConcat } from '../storage/index.js'
import { axonInfo, boundedBytes, prometheusInfo } from './neuron-types.js'
import { accountId, h256 } from './types.js'

const ZERO_ACCOUNT = new Uint8Array(32)
/** UTF-8 of the default subnet token symbol. */
const TAU = Uint8Array.of(0xf0, 0x9d, 0x9c, 0x8f)

const byNetuid = [identity(u16)] as const
const byNetuidTwox = [twoxConcat(u16)] as const
const byUid = [identity(u16), identity(u16)] as const
const byHotkey = [identity(u16), blake2Concat(accountId)] as const
const byAccount = [blake2Concat(accountId)] as const
const byHotkeyFirst = [blake2Concat(accountId), identity(u16)] as const
/** Mechanism index (mecid * 4096 + netuid) and epoch. */
const byEpoch = [twoxConcat(u16), twoxConcat(u64)] as const

/** Storage of SubtensorModule, all dialects together; defaults are those of the real runtime. */
export const subtensor = placeItems('SubtensorModule', {
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
  TimelockedWeightCommits: map(byEpoch, vec(tuple(accountId, u64, boundedBytes, u64)), []),
  CRV3WeightCommits: map(byEpoch, vec(tuple(accountId, boundedBytes, u64)), []),
  CRV3WeightCommitsV2: map(byEpoch, vec(tuple(accountId, u64, boundedBytes, u64)), []),
  WeightCommits: optionalMap([twoxConcat(u16), twoxConcat(accountId)], vec(tuple(h256, u64, u64, u64))),

  // epochs
  LastEpochBlock: map(byNetuid, u64, 0n),
  PendingEpochAt: map(byNetuid, u64, 0n),
  SubnetEpochIndex: map(byNetuid, u64, 0n),
  BlocksSinceLastStep: map(byNetuid, u64, 0n),
  LastMechansimStepBlock: map(byNetuid, u64, 0n),
  ActivityCutoffFactorMilli: map(byNetuid, u32, 13_889),

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
})
