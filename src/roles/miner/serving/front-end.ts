import type { MinerSettings } from '../../../config/index.js'
import type { CleanupStack, Clock, IsTrustedProxy, Log } from '../../../kernel/index.js'
import type { Router } from '../../../routing/index.js'
import type { Gate, RegistrationWatch } from '../admission/index.js'
import type { RequestCounter } from './request-counter.js'
import type { ServingParts } from './serve.js'
import type { Traffic } from './traffic.js'
import type { WantedModels } from './wanted-models.js'

/** What a front end is opened with. */
export interface FrontEndContext {
  readonly settings: MinerSettings
  readonly clock: Clock
  readonly log: Log
  readonly cleanup: CleanupStack
  /** Aborts when the miner has drained, or when it is stopped before it serves. */
  readonly signal: AbortSignal
  readonly isTrustedProxy: IsTrustedProxy
  /** Our hotkey. */
  readonly self: string
}

/** The parts of the miner that a front end uses; they decide and count for all of its processes. */
export interface FrontEndParts extends Pick<ServingParts, 'deadlines' | 'onOutcome' | 'isDraining'> {
  readonly registration: RegistrationWatch
  readonly gate: Gate
  readonly router: Router
  readonly requests: RequestCounter
  readonly traffic: Traffic
  readonly wanted: WantedModels
}

/** Answers callers on the public port: in this process, or in worker processes. */
export interface FrontEnd {
  readonly address: string
  readonly port: number
  /** Requests being read or verified, or waiting for a place; each may still be admitted. */
  readonly pending: number
  /** Applies a new request policy, and the current model servers of the router. @throws when the policy is invalid */
  reload(settings: MinerSettings): Promise<void>
  /** New requests are refused from now on. */
  startDraining(): void
  /** Empty when this process answers callers itself. */
  workers(): readonly WorkerReport[]
  /** Why no caller can be served; undefined when one can. */
  unavailableReason(): string | undefined
}

/** The state of one worker, as the operator sees it. */
export interface WorkerReport {
  /** From 1; it stays the same when a new process is started for the worker. */
  readonly id: number
  /** Null between two processes. */
  readonly pid: number | null
  /**
   * `silent`: it has not reported for a few seconds and gets connections only if no other worker responds. `waiting`: its
   * process has ended, and the next one starts after a pause.
   */
  readonly state: 'starting' | 'ready' | 'silent' | 'waiting'
  readonly restarts: number
  readonly connections: number
  /** Requests that have a place. */
  readonly inFlight: number
  /** Admitted since the miner started, by all of its processes. */
  readonly requests: number
  /** Of all of its processes. */
  readonly cpuSeconds: number
  /** Resident memory of its process. */
  readonly memoryBytes: number
}
