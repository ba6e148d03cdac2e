import type { Alert } from './documents.js'

/** The fields of a hub's documents that its page shows; test/page/documents.test.ts compares them with the schemas. */

export interface Spread {
  readonly p50: number
  readonly p95: number
}

export interface ModelTraffic {
  readonly model: string
  readonly answered: number
  readonly refused: number
  readonly failed: number
  readonly left: number
  readonly attempts: number
  readonly failovers: number
  readonly hedges: number
  readonly promptTokens: number
  readonly tokens: number
  readonly firstTokenMs: Spread | null
  readonly tokensPerSecond: Spread | null
}

export interface RoutedModel {
  readonly model: string
  readonly share: number
  readonly quality: number | null
  readonly verified: number | null
  readonly tokensPerSecond: number | null
  readonly firstTokenMs: number | null
}

export interface HubMiner {
  readonly uid: number
  readonly hotkey: string
  readonly inFlight: number
  readonly breaker: string
  readonly answered: number
  readonly failed: number
  readonly silent: string | null
  readonly routing: readonly RoutedModel[]
}

export interface KeyRow {
  readonly id: string
  readonly name: string
  readonly tokensToday: number
  readonly tokensPerDay: number | null
  readonly spentTokens: number
  readonly budgetTokens: number | null
}

export interface ReportRow {
  readonly hotkey: string
  readonly uid: number | null
  readonly at: string
  readonly verified: number
  readonly failed: number
}

export interface HubDocument {
  readonly startedAt: string
  readonly uid: number | null
  readonly hotkey: string
  readonly url: string
  readonly block: number
  readonly isDraining: boolean
  readonly unavailable: string | null
  readonly inFlight: number
  readonly models: readonly string[]
  readonly requests: {
    readonly answered: number
    readonly refused: number
    readonly failed: number
    readonly left: number
  }
  readonly asked: { readonly attempts: number; readonly failovers: number; readonly hedges: number }
  readonly errors: Readonly<Record<string, number>>
  readonly traffic: readonly ModelTraffic[]
  readonly records: { readonly rows: number; readonly bytes: number; readonly dropped: number }
  readonly bucket: { readonly rows: number; readonly drawnAt: string; readonly endsAt: string } | null
  readonly reports: readonly ReportRow[]
  readonly keys: readonly KeyRow[]
  readonly otherKeys: { readonly keys: number; readonly tokensToday: number }
  readonly miners: readonly HubMiner[]
  readonly alerts?: readonly Alert[] | undefined
}

export interface HubSample {
  readonly at: string
  readonly requests: number
  readonly failed: number
  readonly failovers: number
  readonly hedges: number
  readonly tokensPerSecond: number
  readonly firstTokenMs: number | null
}

export interface HubSeriesDocument {
  readonly intervalMs: number
  readonly samples: readonly HubSample[]
}
