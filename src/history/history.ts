import { type Clock, createDeferred, type Log, TargonError, withDeadline } from '../kernel/index.js'
import { type Database, type HistoryPlace, type OpenDatabase, openDatabase } from './database.js'
import { migrate } from './migrations.js'
import { createPruning } from './pruning.js'
import { isRefusal, reasonOf } from './refusal.js'
import { type ResultRow, results, type WeightsRow, weights } from './schema.js'

/** Rows kept in memory while the database is away; the oldest are dropped beyond. */
const MAX_SPOOLED = 20_000
const BATCH_ROWS = 500
const FLUSH_MS = 1000
const RETRY_MS = 10_000
/** A damaged folder does not heal by itself, and each attempt to open it blocks this thread. */
const REOPEN_MS = 300_000
const OPERATION_TIMEOUT_MS = 30_000

export interface HistoryOptions {
  readonly place: HistoryPlace
  readonly clock: Clock
  readonly log: Log
  /** Rows older than this are deleted. */
  readonly retentionMs: number
  readonly signal: AbortSignal
}

/** Miner data in SQL, written in batches beside the work. Nothing here is ever waited for by a round. */
export interface History {
  record(row: ResultRow): void
  recordWeights(row: WeightsRow): void
  /** Undefined while rows get through, else why they do not. */
  trouble(): string | undefined
  /** Rows lost because the database was away too long, or would not have them. */
  dropped(): number
  spooled(): number
  /** Resolves when the first opening of an embedded database, which holds this thread for seconds, ended, well or not. */
  readonly opened: Promise<void>
  /** The database for reports. @throws TargonError HISTORY_UNAVAILABLE while it is not open */
  read<T>(query: (database: Database) => Promise<T>): Promise<T>
  /** Writes what is spooled, then closes; also after the signal has aborted. */
  close(): Promise<void>
}

type Spooled =
  | { readonly table: 'results'; readonly row: ResultRow }
  | { readonly table: 'weights'; readonly row: WeightsRow }

export function openHistory(options: HistoryOptions): History {
  const { place, clock, log, signal } = options
  const spool: Spooled[] = []
  /** Taken from the spool and on its way into the database. */
  let batch: readonly Spooled[] = []
  let open: OpenDatabase | undefined
  let trouble: string | undefined = 'the history is being opened'
  let dropped = 0
  let refused = 0
  const isEmbedded = 'folder' in place
  const prune = createPruning({ clock, retentionMs: options.retentionMs, isEmbedded })

  let connecting: Promise<OpenDatabase> | undefined
  // A report may come while the first batch still opens: PGlite must never be open twice.
  const connect = async () => {
    if (open) return open
    connecting ??= openFresh().finally(() => {
      connecting = undefined
    })
    return connecting
  }
  const openFresh = async () => {
    const fresh = await openDatabase(place)
    try {
      await migrate(fresh.database)
    } catch (error) {
      await fresh.close().catch(() => {})
      throw error
    }
    log.info(
      { event: 'history-opened', kind: isEmbedded ? 'embedded' : 'postgres' },
      'opened the history database',
    )
    open = fresh
    return fresh
  }

  const flush = async () => {
    const { database } = await connect()
    let most = BATCH_ROWS
    while (batch.length > 0 || spool.length > 0) {
      if (batch.length === 0) batch = spool.splice(0, most)
      const rows = batch
      try {
        await withDeadline(clock, 'writing the history', OPERATION_TIMEOUT_MS, undefined, () =>
          insert(database, rows),
        )
        batch = []
        most = Math.min(BATCH_ROWS, 2 * most)
      } catch (error) {
        if (!isRefusal(error)) throw error
        // One row that the database cannot hold must not keep the others out: they are parted until it is alone.
        most = Math.max(1, rows.length >> 1)
        if (rows.length === 1) refuse(error)
        else spool.unshift(...rows.slice(most))
        batch = rows.length === 1 ? [] : rows.slice(0, most)
      }
    }
    await prune(database)
  }

  const refuse = (error: unknown) => {
    dropped++
    refused++
    if (refused % 100 === 1)
      log.error(
        { event: 'history-row-refused', error: reasonOf(error), refused },
        'the history database refused a row',
      )
  }

  const spooled = () => batch.length + spool.length

  const tryFlush = async (): Promise<boolean> => {
    try {
      await flush()
      if (trouble !== undefined && open)
        log.debug({ event: 'history-recovered' }, 'the history database accepts rows again')
      trouble = undefined
      return true
    } catch (error) {
      const reason = reasonOf(error)
      const next = error instanceof TargonError ? error.next : undefined
      if (trouble !== reason)
        log.error(
          { event: 'history-write-failed', error: reason, next, spooled: spooled() },
          'could not write to the history database',
        )
      trouble = reason
      return false
    }
  }

  const opened = createDeferred<void>()
  if (!isEmbedded) opened.resolve()
  const work = async () => {
    while (!signal.aborted) {
      const fine = await tryFlush()
      opened.resolve()
      const pauseMs = fine ? FLUSH_MS : isEmbedded && !open ? REOPEN_MS : RETRY_MS
      await clock.sleep(pauseMs, signal).catch(() => {})
    }
    opened.resolve()
  }
  const working = work()

  const add = (entry: Spooled) => {
    spool.push(entry)
    if (spooled() <= MAX_SPOOLED) return
    spool.shift()
    dropped++
    if (dropped % 1000 === 1)
      log.error({ event: 'history-rows-dropped', dropped }, 'dropped history rows: the spool is full')
  }

  return {
    record: (row) => add({ table: 'results', row }),
    recordWeights: (row) => add({ table: 'weights', row }),
    trouble: () => trouble,
    dropped: () => dropped,
    spooled,
    opened: opened.promise,
    read: async (query) => query((await connect()).database),
    close: async () => {
      await working
      if (spooled() > 0) await tryFlush()
      await open?.close()
    },
  }
}

async function insert(database: Database, batch: readonly Spooled[]): Promise<void> {
  const rows = batch.flatMap((entry) => (entry.table === 'results' ? [entry.row] : []))
  const sets = batch.flatMap((entry) => (entry.table === 'weights' ? [entry.row] : []))
  await database.transaction(async (transaction) => {
    if (rows.length > 0) await transaction.insert(results).values(rows)
    if (sets.length > 0) await transaction.insert(weights).values(sets)
  })
}
