import { isDamage } from '../database/index.js'
import type { Clock, Log } from '../kernel/index.js'
import { HistoryConnection } from './connection.js'
import type { Database, EvidenceRecord, HistoryPlace, ResultRow, WeightsRow } from './database.js'
import { createPruning } from './pruning.js'
import { Spool, type SpooledRow } from './spool.js'
import { HistoryWriter } from './writer.js'

const FLUSH_MS = 1000
const RETRY_MS = 10_000

export interface HistoryOptions {
  readonly place: HistoryPlace
  readonly clock: Clock
  readonly log: Log
  /** Rows older than this are deleted. */
  readonly retentionMs: number
  readonly signal: AbortSignal
}

/** Verdicts, weights and evidence in an SQL database, written in batches in the background; a round never waits for it. */
export interface History {
  record(row: ResultRow): void
  recordWeights(row: WeightsRow): void
  recordEvidence(row: EvidenceRecord): void
  /** Why rows cannot be written; undefined while they can. */
  trouble(): string | undefined
  /** Rows lost because the spool was full or the database rejected them. */
  dropped(): number
  /** Rows not yet written. */
  spooled(): number
  /** Runs a query for a report. @throws TargonError HISTORY_UNAVAILABLE when the database cannot be opened */
  read<T>(query: (database: Database) => Promise<T>): Promise<T>
  /** Writes what is spooled, then closes; the signal must have been aborted. */
  close(): Promise<void>
}

export function openHistory({ place, clock, log, retentionMs, signal }: HistoryOptions): History {
  const spool = new Spool()
  const connection = new HistoryConnection(place, clock, log)
  const prune = createPruning({ clock, retentionMs })
  const writer = new HistoryWriter(connection, spool, prune, clock, log)

  const flushUntilAborted = async () => {
    while (!signal.aborted) {
      const isWritten = await writer.flush()
      await clock.sleep(isWritten ? FLUSH_MS : RETRY_MS, signal).catch(() => {})
    }
  }
  const flushing = flushUntilAborted()

  let overflowed = 0
  const add = (row: SpooledRow) => {
    if (spool.add(row)) return
    overflowed++
    const dropped = overflowed + writer.rejected
    if (dropped % 1000 === 1)
      log.error(
        { event: 'history-rows-dropped', dropped },
        'dropped history rows: too many are waiting for the database',
      )
  }

  return {
    record: (row) => add({ table: 'results', row }),
    recordWeights: (row) => add({ table: 'weights', row }),
    recordEvidence: (row) => add({ table: 'evidence', row }),
    trouble: () => writer.trouble,
    dropped: () => overflowed + writer.rejected,
    spooled: () => spool.size,
    read: async (query) => {
      const database = await connection.database()
      try {
        return await query(database)
      } catch (error) {
        if (isDamage(error)) await connection.noteFailure(error)
        throw error
      }
    },
    close: async () => {
      await flushing
      if (spool.size > 0) await writer.flush()
      await connection.close()
    },
  }
}
