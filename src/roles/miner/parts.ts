import type { Alerts } from '../../alerts/index.js'
import type { MinerSettings } from '../../config/index.js'
import type { ReplayGuard } from '../../epistula/index.js'
import type { CleanupStack } from '../../kernel/index.js'
import type { Router } from '../../routing/index.js'
import type { MinerMetrics } from '../../telemetry/index.js'
import type { Gate, RegistrationWatch } from './admission/index.js'
import type { FrontEnd, MinerSeries, RequestCounter, Traffic, WantedModels } from './serving/index.js'
import type { MinerDeps } from './types.js'

/** What the parts of a miner are opened with. */
export interface MinerContext {
  readonly settings: MinerSettings
  readonly deps: MinerDeps
  readonly metrics: MinerMetrics
  readonly cleanup: CleanupStack
  /** Aborts when the miner has drained, or when it is stopped before it serves. */
  readonly signal: AbortSignal
}

/** The parts of a miner that serves. */
export interface Miner {
  readonly registration: RegistrationWatch
  readonly router: Router
  readonly gate: Gate
  readonly replays: ReplayStore
  readonly frontEnd: FrontEnd
  readonly requests: RequestCounter
  readonly traffic: Traffic
  readonly wanted: WantedModels
  readonly alerts: Pick<Alerts, 'active'>
  readonly series: () => MinerSeries
  readonly isDraining: () => boolean
  readonly startDraining: () => void
}

export interface ReplayStore {
  readonly guard: ReplayGuard
  readonly isReachable: () => boolean
}
