import type { WeightEntry } from '../../chain/index.js'
import { type CastMember, LOCALNET_MODELS } from '../network/index.js'
import type { UserCounts } from '../users/index.js'
import type { EvidenceLevel, MinerStatus, ValidatorStatus } from './validator-status.js'

/** One miner on the board and in the report. */
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
  /** The worst of its models: what its answers show together. */
  readonly evidence: EvidenceLevel
  /** What the evidence says in words, unless it is clean. */
  readonly accusation: string | undefined
  /** From chain storage. */
  readonly weightU16: number
}

export interface Snapshot {
  readonly block: number
  /** Blocks until the validator next sets weights; undefined before its first status. */
  readonly epochBlocksLeft: number | undefined
  /** Epochs whose weights are on chain. */
  readonly epochs: number
  readonly miners: readonly MinerRow[]
  readonly validator: ValidatorRow
  /** Undefined without a hub. */
  readonly hub?: HubRow
}

/** The users of the hub, and what it keeps for the validator. */
export interface HubRow extends UserCounts {
  readonly kept: number
}

export interface ValidatorRow {
  readonly uid: number
  readonly hotkey: string
  readonly rounds: number
  readonly models: readonly string[]
  /** The weights it last submitted, by its own account. */
  readonly weights: ValidatorStatus['weights']
}

const NO_VERDICTS = { verified: 0, inconclusive: 0, failed: {} }

/** Combines the validator's status, the chain's storage and the cast's behaviours. */
export function composeSnapshot(input: {
  readonly block: number
  readonly epochs: number
  /** Hotkey addresses by uid. */
  readonly addresses: readonly string[]
  /** The miners, in the order of their uids from 1 on. */
  readonly cast: readonly CastMember[]
  readonly status: ValidatorStatus | undefined
  readonly weights: readonly WeightEntry[]
  readonly hub?: HubRow | undefined
}): Snapshot {
  const weightOf = new Map(input.weights.map((entry) => [entry.uid, entry.weightU16]))
  const statusOf = new Map(input.status?.miners.map((miner) => [miner.hotkey, miner]))
  const miners = input.cast.map((member, index): MinerRow => {
    const uid = index + 1
    const hotkey = input.addresses[uid] ?? ''
    const status = statusOf.get(hotkey)
    const worst = worstEvidence(status?.evidence ?? [])
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
      evidence: worst?.level ?? 'clean',
      accusation: worst?.sentence,
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
    ...(input.hub === undefined ? {} : { hub: input.hub }),
  }
}

const SEVERITY = { clean: 0, suspected: 1, barred: 2 } as const

/** The pair that is accused most; undefined when all are clean. */
function worstEvidence(pairs: MinerStatus['evidence']): MinerStatus['evidence'][number] | undefined {
  const accused = pairs.filter(({ level }) => level !== 'clean')
  return accused.sort((a, b) => SEVERITY[b.level] - SEVERITY[a.level])[0]
}

/** What `targon localnet --json` prints. */
export interface LocalnetReport {
  readonly epochs: number
  readonly miners: readonly {
    readonly uid: number
    readonly hotkey: string
    readonly behaviour: string
    readonly models: readonly string[]
    readonly verdicts: {
      readonly verified: number
      readonly inconclusive: number
      readonly failed: Readonly<Record<string, number>>
    }
    readonly meanTokensPerSecond: number
    readonly score: number
    readonly evidence: EvidenceLevel
    readonly weightU16: number
  }[]
  /** Null when the run was stopped before the network was ready. */
  readonly validator: ValidatorRow | null
  /** Only with a hub. */
  readonly hub?: HubRow
}

export function reportOf(snapshot: Snapshot): LocalnetReport {
  return {
    epochs: snapshot.epochs,
    miners: snapshot.miners.map(({ name: _name, last: _last, accusation: _accusation, ...miner }) => miner),
    validator: snapshot.validator,
    ...(snapshot.hub === undefined ? {} : { hub: snapshot.hub }),
  }
}
