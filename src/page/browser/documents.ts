import type { Fields } from '../document-change.js'

/**
 * The fields of the documents that the page shows. A page is served by the process whose documents it reads, so they fit;
 * test/page/documents.test.ts compares these types with the schemas of the roles.
 */
export interface WeightVector {
  readonly block: number
  readonly entries: readonly { readonly uid: number; readonly weightU16: number }[]
}

export interface EvidenceOfModel {
  readonly model: string
  readonly level: string
  readonly enforced: number
  readonly suspicion: number
  readonly sentence: string
}

export interface ValidatorMiner {
  readonly uid: number
  readonly hotkey: string
  readonly models: readonly string[]
  readonly verdicts: {
    readonly verified: number
    readonly inconclusive: number
    readonly failed: Readonly<Record<string, number>>
  }
  readonly last: {
    readonly kind: string
    readonly cause?: string | undefined
    readonly model: string
    readonly tokensPerSecond?: number | undefined
  } | null
  readonly meanTokensPerSecond: number
  readonly score: number
  readonly evidence?: readonly EvidenceOfModel[] | undefined
}

/** A condition that needs a person. */
export interface Alert {
  readonly id: string
  readonly severity: string
  readonly sentence: string
  readonly next?: string | undefined
  readonly since: string
}

export interface EngineRow {
  readonly model: string
  readonly ready: boolean
  readonly reason?: string | undefined
  readonly next?: string | undefined
}

export interface ValidatorDocument {
  readonly uid: number
  readonly hotkey: string
  readonly startedAt?: string | undefined
  readonly history?: boolean | undefined
  readonly chain?:
    | {
        readonly network: string
        readonly endpoint: string | null
        readonly netuid: number
        readonly headAt?: string | null | undefined
        readonly reconnects?: number | undefined
        readonly clockOffsetMs?: number | undefined
      }
    | undefined
  readonly block: number
  readonly epoch: { readonly index: number; readonly nextBlock: number }
  readonly engines: readonly EngineRow[]
  readonly rounds: number
  readonly weights: WeightVector | null
  readonly lastSubmission?: { readonly block: number } | null | undefined
  readonly previousWeights?: WeightVector | null | undefined
  readonly miners: readonly ValidatorMiner[]
  readonly alerts?: readonly Alert[] | undefined
  readonly evidenceThreshold?: number | undefined
  readonly checking?: { readonly share: number; readonly trusted: number } | undefined
}

export interface RoundOutcome {
  readonly uid: number
  readonly kind: string
  readonly cause: string | null
  readonly tokensPerSecond: number
}

export interface RoundRow {
  readonly round: number
  readonly block: number
  readonly at: string
  readonly model: string
  readonly endpoint: string
  readonly outcomes: readonly RoundOutcome[]
}

export interface MinerResult {
  readonly at: string
  readonly round: number
  readonly model: string
  readonly kind: string
  readonly cause: string | null
  readonly detail: string | null
  readonly tokens: number
  readonly tokensPerSecond: number
  readonly timeToFirstTokenMs: number
}

/** The part of `GET /report` of one miner that is plotted. */
export interface MinerHistory {
  readonly models: readonly {
    readonly model: string
    readonly trend: readonly {
      readonly at: string
      readonly verified: number
      readonly failed: number
      readonly meanTokensPerSecond: number
    }[]
    readonly evidence?:
      | {
          readonly threshold: number
          readonly points: readonly {
            readonly at: string
            readonly suspicion: number
            readonly enforced: number
          }[]
        }
      | undefined
  }[]
}

/** A document of the live page as the type that its server gives it. */
export function readDocument<T>(fields: Fields | undefined): T | undefined {
  return fields as T | undefined
}
