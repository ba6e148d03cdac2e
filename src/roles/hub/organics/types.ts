import type { KeptAnswer } from './kept-answer.js'

/** One request of a user and what a miner answered; the hub keeps it for validators. */
export interface OrganicRecord {
  readonly id: string
  /** Wall clock at the start of the request, milliseconds since the Unix epoch. */
  readonly atMs: number
  readonly model: string
  readonly endpoint: 'CHAT' | 'COMPLETION'
  /** The body as it was sent to the miner. Validators need `max_tokens`, `seed` and `temperature` in it. */
  readonly request: Readonly<Record<string, unknown>>
  /** The chunks of the miner, without usage; empty when the miner failed. */
  readonly response: KeptAnswer
  readonly uid: number
  readonly hotkey: string
  readonly coldkey: string
  /** False when the miner was at fault. A request that the user ended is not recorded. */
  readonly success: boolean
  readonly totalMs: number
  readonly firstTokenMs: number
  /** Tokens that the hub counted. */
  readonly tokens: number
}

export interface OrganicStore {
  /** Keeps a record, or drops it when the bounds are reached. Never waits and never throws. */
  record(record: OrganicRecord): void
  /** Resolves when everything that was kept is written. */
  close(): Promise<void>
}

/** What a validator reports about one answer of a miner. */
export interface ReportedVerdict {
  readonly hotkey: string
  readonly model: string
  readonly isVerified: boolean
  /** Whether a user had asked; otherwise the validator itself. */
  readonly isOrganic: boolean
  /** Hotkey of the validator, whose signature was verified. */
  readonly validator: string
}
