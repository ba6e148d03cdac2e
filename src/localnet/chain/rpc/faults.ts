import { Listeners, priorityTooLow, RpcError, temporarilyBanned } from '../node/index.js'

/** How a submission can fail. */
export const SUBMISSION_FAULTS = ['banned', 'priority', 'stale', 'swallowed', 'lost-reply'] as const
export type SubmissionFault = (typeof SUBMISSION_FAULTS)[number]

export interface FaultSettings {
  /** Requests are read but never answered, and no notifications are sent. */
  readonly silent: boolean
  /** Delays every answer. */
  readonly delayMs: number
  /** New connections are closed immediately. */
  readonly refuseConnections: boolean
  /** No blocks except those requested with dev_newBlock, so the head ages. */
  readonly stalled: boolean
  /** Notifies each head, its parent, and the head again: how a re-org looks to a subscriber. */
  readonly repeatedHeads: boolean
  /** No pulses are stored, so time-locked commits cannot be decrypted. */
  readonly beaconSilent: boolean
}

export const NO_FAULTS: FaultSettings = {
  silent: false,
  delayMs: 0,
  refuseConnections: false,
  stalled: false,
  repeatedHeads: false,
  beaconSilent: false,
}

/** The faults of one chain. `dev_*` calls are exempt. */
export class Faults {
  readonly onDrop = new Listeners<void>()
  #settings = NO_FAULTS
  #submissions: SubmissionFault[] = []

  get settings(): FaultSettings {
    return this.#settings
  }

  set(changes: { readonly [K in keyof FaultSettings]?: FaultSettings[K] | undefined }): void {
    const given = Object.entries(changes).filter(([, value]) => value !== undefined)
    this.#settings = { ...this.#settings, ...Object.fromEntries(given) }
  }

  /** Ends all faults, including pending submission faults. */
  clear(): void {
    this.#settings = NO_FAULTS
    this.#submissions = []
  }

  /** Drops every connection without a closing handshake. */
  dropConnections(): void {
    this.onDrop.notify()
  }

  /** Makes the next `count` submissions fail. */
  failSubmissions(fault: SubmissionFault, count: number): void {
    this.#submissions.push(...Array.from({ length: count }, () => fault))
  }

  /** Removes and returns the fault for the current submission. */
  takeSubmissionFault(): SubmissionFault | undefined {
    return this.#submissions.shift()
  }
}

/** The error a node returns for a fault that rejects the submission; undefined for the other faults. */
export function submissionErrorOf(fault: SubmissionFault): RpcError | undefined {
  switch (fault) {
    case 'banned':
      return temporarilyBanned()
    case 'priority':
      return priorityTooLow(1n, 0n)
    case 'stale':
      return new RpcError(1010, 'Invalid Transaction', 'Transaction is outdated')
    default:
      return undefined
  }
}
