import type { Clock, Log } from '../kernel/index.js'
import type { Progress } from '../telemetry/index.js'

/** What every role is given. Roles never touch `process`: cli/ turns signals into `signal` and the report into an exit. */
export interface RoleDeps {
  readonly clock: Clock
  readonly log: Log
  /** Aborts when the role shall drain and end. */
  readonly signal: AbortSignal
  /** Directory for the state of this neuron; exists, mode 0700. */
  readonly stateDir: string
  /** Shows what takes long. */
  readonly progress?: Progress
}

/** A role that runs: `start…` resolves once it serves (miner: listening and announced; validator: first sync done). */
export interface RunningRole<Report> {
  /** Settles when the role has drained and released everything; rejects when it failed. */
  readonly done: Promise<Report>
  /** Base URL of its status server. */
  readonly statusUrl: string
  /**
   * Resolves once the role has proven itself (a miner: listening and an upstream answers; a validator: a block came and
   * a round ended with a verdict that is not its own fault); ends the trial of a release. Never rejects.
   */
  readonly healthy: Promise<void>
}
