import { lt, sql } from 'drizzle-orm'
import type { Clock } from '../kernel/index.js'
import type { Database } from './database.js'

/** Rows deleted per statement: deleting all at once could exceed its timeout, and keep new rows from being written. */
const PORTION_ROWS = 5000
const INTERVAL_MS = 3_600_000

export interface PruningOptions {
  readonly clock: Clock
  readonly retentionMs: number
}

export type Prune = (database: Database) => Promise<void>

/** Deletes rows that are too old, one portion per call; once none is left, pauses for an hour. Both databases reuse the space. */
export function createPruning({ clock, retentionMs }: PruningOptions): Prune {
  let prunedAt = Number.NEGATIVE_INFINITY
  return async (database) => {
    if (clock.monotonic() - prunedAt < INTERVAL_MS) return
    // set first, so that a failing deletion is retried in an hour and does not keep rows from being written
    prunedAt = clock.monotonic()
    const oldest = new Date(clock.now() - retentionMs)
    const { results, weights, evidence } = database.tables
    for (const table of [results, weights, evidence]) {
      const old = sql`select id from ${table} where ${lt(table.at, oldest)} limit ${PORTION_ROWS}`
      const deleted = await database.all(sql`delete from ${table} where id in (${old}) returning id`)
      if (deleted.length === PORTION_ROWS) prunedAt = Number.NEGATIVE_INFINITY
    }
  }
}
