import type { Subtensor } from '../../chain/index.js'
import type { MinerSettings } from '../../config/index.js'
import type { UpstreamReport } from '../../routing/index.js'
import type { MinerMetrics } from '../../telemetry/index.js'
import type { Signer } from '../../wallet/index.js'
import type { RoleDeps } from '../role.js'
import type { CallerCounts, RequestCounts } from './serving/index.js'

export interface MinerDeps extends RoleDeps {
  readonly subtensor: Subtensor
  readonly signer: Signer
  /** New settings after SIGHUP or a changed file; only upstreams, their keys and limits, and the request policy are taken from them. */
  readonly reload?: AsyncIterable<MinerSettings>
  /** Created when absent. */
  readonly metrics?: MinerMetrics
}

/** Final report of a drained miner. */
export interface MinerReport extends RequestCounts {
  readonly role: 'miner'
  readonly hotkey: string
  /** Requests cut off by the drain timeout. */
  readonly cut: number
}

/** GET /status of the status server. */
export interface MinerStatus {
  readonly role: 'miner'
  readonly uid: number | null
  readonly hotkey: string
  readonly address: string
  readonly port: number
  readonly block: number
  readonly isDraining: boolean
  readonly inFlight: number
  /** What GET /models answers now. */
  readonly models: readonly string[]
  readonly upstreams: readonly UpstreamReport[]
  readonly requests: RequestCounts
  readonly callers: readonly (CallerCounts & { readonly inFlight: number })[]
  /** Models requested by validators. */
  readonly wanted: readonly { readonly hotkey: string; readonly models: readonly string[] }[]
}
