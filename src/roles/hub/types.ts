import type { Accounts } from '../../accounts/index.js'
import type { Alerts } from '../../alerts/index.js'
import type { Subtensor } from '../../chain/index.js'
import type { HubSettings } from '../../config/index.js'
import type { CleanupStack, LockTimes } from '../../kernel/index.js'
import type { HubMetrics } from '../../telemetry/index.js'
import type { Signer } from '../../wallet/index.js'
import type { RoleDeps } from '../role.js'
import type { Figures, RequestCounts } from './figures/index.js'
import type { Gateway } from './gateway/index.js'
import type { Miners } from './miners/index.js'
import type { Organics } from './organics/index.js'

export interface HubDeps extends RoleDeps {
  readonly subtensor: Subtensor
  readonly signer: Signer
  /** The hub closes them. */
  readonly accounts: Accounts
  /** Created when absent. */
  readonly metrics?: HubMetrics
  /** Shorter in tests. */
  readonly lockTimes?: LockTimes
}

/** What the parts of a hub are opened with. */
export interface HubContext {
  readonly settings: HubSettings
  readonly deps: HubDeps
  readonly metrics: HubMetrics
  readonly cleanup: CleanupStack
  /** Aborts when the hub has drained, or when it is stopped before it serves. */
  readonly signal: AbortSignal
  /** Aborts when another process has taken the state folder. */
  readonly lost: AbortSignal
}

/** The parts of a hub that serves. */
export interface Hub {
  readonly miners: Miners
  readonly gateway: Gateway
  readonly organics: Organics
  readonly figures: Figures
  readonly alerts: Alerts
}

/** Final report of a drained hub. */
export interface HubReport extends RequestCounts {
  readonly role: 'hub'
  readonly hotkey: string
  /** Requests cut off by the drain timeout. */
  readonly cut: number
}
