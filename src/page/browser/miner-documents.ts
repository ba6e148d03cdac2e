import type { Alert } from './documents.js'

/** The fields of a miner's documents that its page shows; test/page/documents.test.ts compares them with the schemas. */

export interface UpstreamRow {
  readonly url: string
  readonly health: string
  readonly reason: string | null
  readonly breaker: string
  readonly models: readonly string[]
  readonly inFlight: number
  readonly maxInFlight: number
  readonly waiting: number | null
  readonly tokensPerSecond: number | null
  readonly requests: number
  readonly failures: number
}

export interface CallerRow {
  readonly hotkey: string
  readonly uid: number
  readonly requests: number
  readonly inFlight: number
  readonly lastAt?: string | null | undefined
  readonly refusals?: Readonly<Record<string, number>> | undefined
}

export interface TrafficOfCaller {
  readonly id: string
  readonly hotkey: string
  readonly uid: number
  readonly model: string
  readonly answered: number
  readonly refused: number
  readonly failed: number
  readonly abandoned: number
  readonly firstByteMs: { readonly p50: number; readonly p95: number } | null
}

export interface WantedList {
  readonly hotkey: string
  readonly models: readonly string[]
}

export interface MinerDocument {
  readonly startedAt?: string | undefined
  readonly uid: number | null
  readonly hotkey: string
  readonly address: string
  readonly port: number
  readonly block: number
  readonly isDraining: boolean
  readonly unavailable?: string | null | undefined
  readonly standing?: { readonly incentive: number; readonly emissionRao: number } | null | undefined
  readonly inFlight: number
  readonly models: readonly string[]
  readonly upstreams: readonly UpstreamRow[]
  readonly requests: {
    readonly requests: number
    readonly answered: number
    readonly refused: number
    readonly failed: number
    readonly abandoned: number
  }
  readonly refusals?: Readonly<Record<string, number>> | undefined
  readonly callers: readonly CallerRow[]
  readonly traffic?: readonly TrafficOfCaller[] | undefined
  readonly wanted: readonly WantedList[]
  readonly alerts?: readonly Alert[] | undefined
}

export interface Sample {
  readonly at: string
  readonly requests: number
  readonly failed: number
  readonly inFlight: number
  readonly tokensPerSecond: number | null
  readonly firstByteMs: number | null
}

export interface SeriesDocument {
  readonly intervalMs: number
  readonly samples: readonly Sample[]
}
