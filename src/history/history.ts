import { type Clock, createDeferred, type Log } from '../kernel/index.js'
import { HistoryConnection } from './connection.js'
import type { Database, HistoryPlace } from './database.js'
import { createPruning } from './pruning.js'
import type { ResultRow, WeightsRow } from './schema.js'
import { Spool, type SpooledRow } from './spool.js'
import { HistoryWriter } from './writer.js'

const FLUSH_MS = 1000
const RETRY_MS = 10_000
/** A damaged folder does not repair itself, and each attempt to open it blocks this thread for seconds. */
const REOPEN_MS = 300_000

export interface HistoryOptions {
  readonly place: HistoryPlace
  readonly clock: Clock
  readonly log: Log
  /** Rows older than this are deleted. */
  readonly retentionMs: number
  readonly signal: AbortSignal
}

/** Verdicts and weights in an SQL database, written in batches in the background; a round never waits for it. */
export interface History {
  record(row: ResultRow): void
  recordWeights(row: WeightsRow): void
  /** Why rows cannot be written; undefined while they can. */
  trouble(): string | undefined
  /** Rows lost because the spool was full or the database rejected them. */
  dropped(): number
  /** Rows not yet written. */
  spooled(): number
  /** Resolves when the first attempt to open an embedded database, which blocks this thread for seconds, has ended. */
  readonly opened: Promise<void>
  /** Runs a query for a report. @throws TargonError HISTORY_UNAVAILABLE when the database cannot be opened */
  read<T>(query: (database: Database) => Promise<T>): Promise<T>
  /** Writes what is spooled, then closes; the signal must have been aborted. */
  close(): Promise<void>
}

export function openHistory({ place, clock, log, retentionMs, signal }: HistoryOptions): History {
  const isEmbedded = 'folder' in place
  const spool = new Spool()
  const connection = new HistoryConnection(place, log)
  const prune = createPruning({ clock, retentionMs, isEmbedded })
  const writer = new HistoryWriter(connection, spool, prune, clock, log)
  const opened = createDeferred<void>()
  if (!isEmbedded) opened.resolve()

  const flushUntilAborted = async () => {
    while (!signal.aborted) {
      const isWritten = await writer.flush()
      opened.resolve()
      const pauseMs = isWritten ? FLUSH_MS : isEmbedded && !connection.isOpen ? REOPEN_MS : RETRY_MS
      await clock.sleep(pauseMs, signal).catch(() => {})
    }
    opened.resolve()
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
    trouble: () => writer.trouble,
    dropped: () => overflowed + writer.rejected,
    spooled: () => spool.size,
    opened: opened.promise,
    read: async (query) => query(await connection.database()),
    close: async () => {
      await flushing
      if (spool.size > 0) await writer.flush()
      await connection.close()
    },
  }
}
