import { Listeners, priorityTooLow, RpcError, temporarilyBanned } from '../node/index.js'

/** What can happen to a submitted transaction beside being taken. */
export const SUBMISSION_FAULTS = ['banned', 'priority', 'stale', 'swallowed', 'lost-reply'] as const
export type SubmissionFault = (typeof SUBMISSION_FAULTS)[number]

export interface FaultSettings {
  /** Requests are read and never answered, notifications are not sent. */
  readonly silent: boolean
  /** Every answer comes this much later. */
  readonly delayMs: number
  /** New connections are cut at once. */
  readonly refuseConnections: boolean
  /** No blocks but those asked for by dev_newBlock: the head grows old. */
  readonly stalled: boolean
  /** Every head is announced twice, with its parent in between: what a re-org looks like to a subscriber. */
  readonly repeatedHeads: boolean
  /** No pulses: time-locked commits cannot be opened. */
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

/** The faults of one chain, set while it runs. `dev_*` calls are never disturbed. */
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

  /** Ends all faults, also those of coming submissions. */
  clear(): void {
    this.#settings = NO_FAULTS
    this.#submissions = []
  }

  /** Cuts every connection without a closing handshake. */
  dropConnections(): void {
    this.onDrop.notify()
  }

  /** The next `count` submissions meet this fault. */
  failSubmissions(fault: SubmissionFault, count: number): void {
    this.#submissions.push(...Array.from({ length: count }, () => fault))
  }

  /** The fault of the submission at hand, used up by asking. */
  takeSubmissionFault(): SubmissionFault | undefined {
    return this.#submissions.shift()
  }
}

/** What the node answers for the faults that are refusals. */
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
