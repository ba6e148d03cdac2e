import { inArray, lt, sql } from 'drizzle-orm'
import type { Clock } from '../kernel/index.js'
import type { Database } from './database.js'
import { results, weights } from './schema.js'

/** Rows deleted per statement: deleting all at once could exceed its timeout, and an embedded database blocks this thread. */
const PORTION_ROWS = 5000
const INTERVAL_MS = 3_600_000
const VACUUM_MS = 86_400_000

export interface PruningOptions {
  readonly clock: Clock
  readonly retentionMs: number
  /** An embedded database has no autovacuum to reuse the space of deleted rows. */
  readonly isEmbedded: boolean
}

export type Prune = (database: Database) => Promise<void>

/** Deletes rows that are too old, one portion per call; once none is left, pauses for an hour. */
export function createPruning({ clock, retentionMs, isEmbedded }: PruningOptions): Prune {
  let prunedAt = Number.NEGATIVE_INFINITY
  let vacuumedAt = Number.NEGATIVE_INFINITY
  let hasDeleted = false
  return async (database) => {
    if (clock.monotonic() - prunedAt < INTERVAL_MS) return
    // set first, so that a failing deletion is retried in an hour and does not keep rows from being written
    prunedAt = clock.monotonic()
    const oldest = new Date(clock.now() - retentionMs)
    let isMore = false
    for (const table of [results, weights]) {
      const old = database
        .select({ id: table.id })
        .from(table)
        .where(lt(table.at, oldest))
        .limit(PORTION_ROWS)
      const deleted = await database.delete(table).where(inArray(table.id, old)).returning({ id: table.id })
      hasDeleted ||= deleted.length > 0
      isMore ||= deleted.length === PORTION_ROWS
    }
    if (isMore) prunedAt = Number.NEGATIVE_INFINITY
    else if (isEmbedded && hasDeleted && clock.monotonic() - vacuumedAt >= VACUUM_MS) {
      vacuumedAt = clock.monotonic()
      hasDeleted = false
      await database.execute(sql`vacuum results, weights`)
    }
  }
}
