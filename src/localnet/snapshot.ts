import type { WeightEntry } from '../chain/index.js'
import { CAST, LOCALNET_MODELS } from './cast.js'
import { HOTKEY_NAMES } from './folders.js'
import type { MinerStatus, ValidatorStatus } from './status.js'

/** One miner as the board and the report show it. */
export interface MinerRow {
  readonly uid: number
  readonly name: string
  readonly hotkey: string
  readonly behaviour: string
  readonly models: readonly string[]
  readonly verdicts: MinerStatus['verdicts']
  readonly last: MinerStatus['last']
  readonly meanTokensPerSecond: number
  readonly score: number
  /** Read from chain storage. */
  readonly weightU16: number
}

/** The subnet at one moment. */
export interface Snapshot {
  readonly block: number
  /** Blocks until the validator sets weights again; undefined before its first answer. */
  readonly epochBlocksLeft: number | undefined
  /** Epochs whose weights stand on chain. */
  readonly epochs: number
  readonly miners: readonly MinerRow[]
  readonly validator: ValidatorRow
}

export interface ValidatorRow {
  readonly uid: number
  readonly hotkey: string
  readonly rounds: number
  readonly models: readonly string[]
  /** The vector it submitted last, as it says itself. */
  readonly weights: ValidatorStatus['weights']
}

const NO_VERDICTS = { verified: 0, inconclusive: 0, failed: {} }

/** Joins what the validator says, what the chain stores, and what the cast was told to do. */
export function composeSnapshot(input: {
  readonly block: number
  readonly epochs: number
  /** Hotkey addresses by uid. */
  readonly addresses: readonly string[]
  readonly status: ValidatorStatus | undefined
  readonly weights: readonly WeightEntry[]
}): Snapshot {
  const weightOf = new Map(input.weights.map((entry) => [entry.uid, entry.weightU16]))
  const statusOf = new Map(input.status?.miners.map((miner) => [miner.hotkey, miner]))
  const miners = CAST.map((member): MinerRow => {
    const uid = HOTKEY_NAMES.indexOf(member.name)
    const hotkey = input.addresses[uid] ?? ''
    const status = statusOf.get(hotkey)
    return {
      uid,
      name: member.name,
      hotkey,
      behaviour: member.behaviour,
      models: status?.models ?? [],
      verdicts: status?.verdicts ?? NO_VERDICTS,
      last: status?.last ?? null,
      meanTokensPerSecond: status?.meanTokensPerSecond ?? 0,
      score: status?.score ?? 0,
      weightU16: weightOf.get(uid) ?? 0,
    }
  })
  return {
    block: input.block,
    epochBlocksLeft: input.status && Math.max(0, input.status.epoch.nextBlock - input.block),
    epochs: input.epochs,
    miners,
    validator: {
      uid: 0,
      hotkey: input.addresses[0] ?? '',
      rounds: input.status?.rounds ?? 0,
      models: input.status?.models ?? [...LOCALNET_MODELS],
      weights: input.status?.weights ?? null,
    },
  }
}
