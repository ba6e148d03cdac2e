import type { ServerResponse } from 'node:http'
import type { Accounts, ApiKey } from '../../../accounts/index.js'
import type { Clock, Log } from '../../../kernel/index.js'
import type { Asking, MinerFailure } from '../asking/index.js'
import type { Miners } from '../miners/index.js'
import type { OrganicStore } from '../organics/index.js'
import type { Sampling } from './miner-body.js'
import type { ReadRequest } from './read-request.js'

/** Why one miner failed a request. */
export interface FailureCause {
  readonly uid: number
  readonly kind: MinerFailure['kind']
  readonly reason: string
}

/** How a request of a user ended. */
export interface RequestEnd {
  readonly id: string
  /** Id of the key; undefined when the request had no valid one. */
  readonly key: string | undefined
  /** The path; `other` for one that the hub does not serve. */
  readonly route: string
  readonly model: string | undefined
  /** answered; refused: the user or a limit is at fault; failed: the hub or its miners are; left: the user left. */
  readonly outcome: 'answered' | 'refused' | 'failed' | 'left'
  /** Of the error that the user was sent. */
  readonly code: string | undefined
  /** Why miners failed it, without anything that they or the user wrote. */
  readonly causes: readonly FailureCause[]
  /** Miners that were asked. */
  readonly attempts: number
  /** Of these, miners asked because the one before was slow; all others after the first took over from one that failed. */
  readonly hedges: number
  /** Undefined before the first token. */
  readonly firstTokenMs: number | undefined
  readonly totalMs: number
  readonly promptTokens: number
  readonly tokens: number
}

export interface ServeDeps {
  readonly clock: Clock
  readonly log: Log
  readonly accounts: Accounts
  readonly miners: Pick<Miners, 'models'>
  readonly asking: Asking
  readonly organics: Pick<OrganicStore, 'record'>
  /** Whether answers are kept for validators at all. */
  readonly isRetaining: boolean
  readonly sampling: Sampling
  /** How long a user may stop reading. */
  readonly stallMs: number
  readonly onEnd: (end: RequestEnd) => void
}

/** One request of a user while it is served. */
export interface Served extends ReadRequest {
  readonly id: string
  readonly key: ApiKey
  readonly response: ServerResponse
  /** Aborts when the user leaves, or the hub has drained. */
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** What is known of a request so far, for its settlement and the metrics. */
export interface Progress {
  attempts: number
  hedges: number
  /** Miners that failed, by their failure. */
  readonly failures: Map<MinerFailure, number>
  /** Monotonic. */
  readonly startMs: number
  firstTokenMs: number | undefined
  /** As the miner says; undefined before. */
  promptTokens: number | undefined
  /** Counted by the hub. */
  tokens: number
}
