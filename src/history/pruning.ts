import { inArray, lt, sql } from 'drizzle-orm'
import type { Clock } from '../kernel/index.js'
import type { Database } from './database.js'
import { results, weights } from './schema.js'

/** Rows deleted at once: all that is old may be more than a statement’s time, and the embedded database blocks this thread. */
const PORTION = 5000
const INTERVAL_MS = 3_600_000
const VACUUM_MS = 86_400_000

export interface PruningOptions {
  readonly clock: Clock
  readonly retentionMs: number
  /** An embedded database has nobody else who gives the space of deleted rows back. */
  readonly isEmbedded: boolean
}

/** Deletes rows that are too old, one portion a call, until none is left; then not again for an hour. */
export function createPruning({ clock, retentionMs, isEmbedded }: PruningOptions) {
  let prunedAt = Number.NEGATIVE_INFINITY
  let vacuumedAt = Number.NEGATIVE_INFINITY
  let hasHoles = false
  return async (database: Database): Promise<void> => {
    if (clock.monotonic() - prunedAt < INTERVAL_MS) return
    // A portion that fails is tried again in an hour, too: rows that can be written come first.
    prunedAt = clock.monotonic()
    const oldest = new Date(clock.now() - retentionMs)
    let isMore = false
    for (const table of [results, weights]) {
      const old = database.select({ id: table.id }).from(table).where(lt(table.at, oldest)).limit(PORTION)
      const gone = await database.delete(table).where(inArray(table.id, old)).returning({ id: table.id })
      hasHoles ||= gone.length > 0
      isMore ||= gone.length === PORTION
    }
    if (isMore) prunedAt = Number.NEGATIVE_INFINITY
    else if (isEmbedded && hasHoles && clock.monotonic() - vacuumedAt >= VACUUM_MS) {
      vacuumedAt = clock.monotonic()
      hasHoles = false
      await database.execute(sql`vacuum results, weights`)
    }
  }
}
