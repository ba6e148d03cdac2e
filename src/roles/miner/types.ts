import type { Subtensor } from '../../chain/index.js'
import type { MinerSettings } from '../../config/index.js'
import type { MinerMetrics } from '../../telemetry/index.js'
import type { Signer } from '../../wallet/index.js'
import type { RoleDeps } from '../role.js'
import type { RequestCounts } from './serving/index.js'

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
