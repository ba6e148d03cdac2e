import type { Clock, Log } from '../kernel/index.js'

/** The part of the log the chain client uses. */
export type ChainLog = Pick<Log, 'info' | 'warn' | 'error'>

/** How to reach the chain. `endpoints` are ws:// or wss:// addresses, at least one, tried in order. */
export interface SubtensorOptions {
  readonly endpoints: readonly string[]
  /** Genesis hash every endpoint must have; undefined accepts any. */
  readonly genesisHash?: string
  /** Deadline of one RPC, default 20,000. */
  readonly rpcTimeoutMs?: number
  /** Without a new head for this long the client moves to the next endpoint, default 60,000. */
  readonly headTimeoutMs?: number
  /** How long to wait for an extrinsic to be included, and then to be found on chain, default 120,000. */
  readonly inclusionTimeoutMs?: number
  /** How long to retry the first connection, default 0: every endpoint once. */
  readonly firstConnectMs?: number
}

export interface SubtensorDeps {
  readonly clock: Clock
  readonly log: ChainLog
  readonly signal: AbortSignal
}

/** What every part of the chain client shares: its dependencies, and its options with the defaults filled in. */
export interface ChainContext extends SubtensorDeps, Required<Omit<SubtensorOptions, 'genesisHash'>> {
  readonly genesisHash?: string | undefined
}

/** What a single connection needs of the context; its signal may be that of one call. */
export interface LinkContext extends Pick<ChainContext, 'clock' | 'rpcTimeoutMs' | 'genesisHash'> {
  readonly signal?: AbortSignal | undefined
}

export function createChainContext(options: SubtensorOptions, deps: SubtensorDeps): ChainContext {
  const { clock, log, signal } = deps
  return {
    clock,
    log,
    signal,
    endpoints: options.endpoints,
    genesisHash: options.genesisHash,
    rpcTimeoutMs: options.rpcTimeoutMs ?? 20_000,
    headTimeoutMs: options.headTimeoutMs ?? 60_000,
    inclusionTimeoutMs: options.inclusionTimeoutMs ?? 120_000,
    firstConnectMs: options.firstConnectMs ?? 0,
  }
}
