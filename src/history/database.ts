import type { DatabasePlace, Schema, Database as SqlDatabase } from '../database/index.js'
import type * as postgres from './postgres-tables.js'
import type * as sqlite from './sqlite-tables.js'

export type ResultRow = Omit<typeof postgres.results.$inferInsert, 'id'>
export type WeightsRow = Omit<typeof postgres.weights.$inferInsert, 'id'>
/** The evidence on a miner and model at a time. */
export type EvidenceRecord = Omit<typeof postgres.evidence.$inferInsert, 'id'>

/** Where the history is stored. */
export type HistoryPlace = DatabasePlace

type Tables = {
  readonly results: typeof postgres.results | typeof sqlite.results
  readonly weights: typeof postgres.weights | typeof sqlite.weights
  readonly evidence: typeof postgres.evidence | typeof sqlite.evidence
}

/** The database of the history. */
export type Database = SqlDatabase<Tables>

export const historySchema: Schema<Tables> = {
  postgres: () => import('./postgres-tables.js'),
  embedded: () => import('./sqlite-tables.js'),
}
