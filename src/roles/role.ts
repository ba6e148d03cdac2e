import type { Clock, Log } from '../kernel/index.js'
import type { Progress } from '../telemetry/index.js'
import type { UpdateStanding } from './update-conditions.js'

/** Roles that run until they are stopped. */
export type ServerRole = 'miner' | 'validator' | 'hub'

/** What a command gives a role. Roles never touch `process`: cli/ turns OS signals into `signal` and the report into an exit status. */
export interface RoleDeps {
  readonly clock: Clock
  readonly log: Log
  /** Aborts when the role must drain and stop. */
  readonly signal: AbortSignal
  /** State directory of this neuron; exists with mode 0700. */
  readonly stateDir: string
  /** Shows the progress of long operations. */
  readonly progress?: Progress
  /** Log lines that could not be written so far. */
  readonly droppedLines?: () => number
  /** What the node knows about its releases; absent when it does not look for them. */
  readonly updates?: { readonly standing: () => Promise<UpdateStanding> }
}

/** What the services of a running role share. */
export interface RoleContext<Metrics> extends RoleDeps {
  /** Aborts when the role must drain and stop, or has failed. */
  readonly signal: AbortSignal
  readonly metrics: Metrics
  /** Stops the role; its `done` rejects with the first error given. */
  readonly fail: (error: Error) => void
}

/** A running role. `start…` resolves once it serves (miner: listening and announced; validator: first sync done). */
export interface RunningRole<Report> {
  /** Settles when the role has drained and released everything; rejects when it failed. */
  readonly done: Promise<Report>
  /** Base URL of its status server. */
  readonly statusUrl: string
  /**
   * Resolves once the role has shown that it works (miner: listening and an upstream answers; validator: received a
   * block and finished a round with a conclusive verdict); ends the probation of a release. Never rejects.
   */
  readonly healthy: Promise<void>
}

/** Events to subscribe to. Listeners run synchronously in the order they subscribed; an error of one reaches the publisher. */
export interface Feed<Event> {
  readonly subscribe: (listener: (event: Event) => void) => void
}

/** Events of one kind. */
export interface Topic<Event> extends Feed<Event> {
  readonly publish: (event: Event) => void
}

export function createTopic<Event>(): Topic<Event> {
  const listeners: ((event: Event) => void)[] = []
  return {
    publish: (event) => {
      for (const listener of listeners) listener(event)
    },
    subscribe: (listener) => {
      listeners.push(listener)
    },
  }
}
