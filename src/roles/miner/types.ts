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
  /** Settings read anew (SIGHUP, changed file); upstreams, their keys and bounds are taken from them. */
  readonly reload?: AsyncIterable<MinerSettings>
  /** Own ones when absent. */
  readonly metrics?: MinerMetrics
}

/** What a drained miner leaves behind. */
export interface MinerReport extends RequestCounts {
  readonly role: 'miner'
  readonly hotkey: string
  /** Requests cut because the drain took too long. */
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
  /** Names GET /models answers now. */
  readonly models: readonly string[]
  readonly upstreams: readonly UpstreamReport[]
  readonly requests: RequestCounts
  readonly callers: readonly (CallerCounts & { readonly inFlight: number })[]
  /** What validators said they want. */
  readonly wanted: readonly { readonly hotkey: string; readonly models: readonly string[] }[]
}
