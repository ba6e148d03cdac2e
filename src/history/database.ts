import type { SQL } from 'drizzle-orm'
import type * as postgres from './postgres-tables.js'
import type * as sqlite from './sqlite-tables.js'

export type ResultRow = Omit<typeof postgres.results.$inferInsert, 'id'>
export type WeightsRow = Omit<typeof postgres.weights.$inferInsert, 'id'>
/** The evidence on a miner and model at a time. */
export type EvidenceRecord = Omit<typeof postgres.evidence.$inferInsert, 'id'>

/** Rows that are written together. */
export interface Batch {
  readonly results: readonly ResultRow[]
  readonly weights: readonly WeightsRow[]
  readonly evidence: readonly EvidenceRecord[]
}

/** Where the history is stored: a PostgreSQL server, or an SQLite file. */
export type HistoryPlace = { readonly url: string } | { readonly file: string }

/** Runs a query and returns its rows under the names the query gives its columns. The caller answers for the type. */
export type Query = <Row extends Record<string, unknown>>(query: SQL) => Promise<Row[]>

/**
 * What PostgreSQL and SQLite have in common. Queries are written once, for both: no function that only one of them knows,
 * counts cast to integer, times by `milliseconds`.
 */
export interface Database {
  readonly kind: 'postgres' | 'embedded'
  readonly tables: {
    readonly results: typeof postgres.results | typeof sqlite.results
    readonly weights: typeof postgres.weights | typeof sqlite.weights
    readonly evidence: typeof postgres.evidence | typeof sqlite.evidence
  }
  readonly all: Query
  /** Writes all rows or none. */
  insert(batch: Batch): Promise<void>
  /** Runs `work` in a transaction that excludes other writers; nothing else may use this connection meanwhile. */
  exclusively<T>(work: (all: Query) => Promise<T>): Promise<T>
  /** SQL for milliseconds since 1970 of a column of times: a number in either database. */
  milliseconds(column: Database['tables']['results' | 'weights' | 'evidence']['at']): SQL<number>
  /** SQL for whether the table exists, as `found`. */
  hasTable(name: string): SQL
  /** Whether the database rejected the rows themselves, so that writing them again would fail as well. */
  isRowError(error: unknown): boolean
  close(): Promise<void>
}
