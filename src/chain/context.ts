import type { Clock, Log } from '../kernel/index.js'
import type { SubtensorOptions } from './types.js'

/** The part of the log the chain client uses. */
export type ChainLog = Pick<Log, 'info' | 'warn' | 'error'>

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
