import { lt } from 'drizzle-orm'
import type { Logger } from 'pino'
import { type Clock, withDeadline } from '../clock.js'
import { messageOf } from '../errors.js'
import { type Database, type HistoryPlace, type OpenDatabase, openDatabase } from './database.js'
import { migrate } from './migrations.js'
import { type ResultRow, results, type WeightsRow, weights } from './schema.js'

/** Rows kept in memory while the database is away; the oldest are dropped beyond. */
const MAX_SPOOLED = 20_000
const BATCH_ROWS = 500
const FLUSH_MS = 1000
const RETRY_MS = 10_000
const PRUNE_MS = 3_600_000
const OPERATION_TIMEOUT_MS = 30_000

export interface HistoryOptions {
  readonly place: HistoryPlace
  readonly clock: Clock
  readonly log: Logger
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
  /** Rows lost because the database was away too long. */
  dropped(): number
  spooled(): number
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
  let prunedAt = Number.NEGATIVE_INFINITY

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
    log.info({ kind: 'url' in place ? 'postgres' : 'embedded' }, 'history open')
    open = fresh
    return fresh
  }

  const flush = async () => {
    const { database } = await connect()
    while (batch.length > 0 || spool.length > 0) {
      if (batch.length === 0) batch = spool.splice(0, BATCH_ROWS)
      const rows = batch
      await withDeadline(clock, 'writing the history', OPERATION_TIMEOUT_MS, undefined, () =>
        insert(database, rows),
      )
      batch = []
    }
    if (clock.monotonic() - prunedAt < PRUNE_MS) return
    prunedAt = clock.monotonic()
    const oldest = new Date(clock.now() - options.retentionMs)
    await database.delete(results).where(lt(results.at, oldest))
    await database.delete(weights).where(lt(weights.at, oldest))
  }

  const spooled = () => batch.length + spool.length

  const tryFlush = async (): Promise<boolean> => {
    try {
      await flush()
      if (trouble !== undefined && open) log.debug('history keeps up')
      trouble = undefined
      return true
    } catch (error) {
      const reason = messageOf(error)
      if (trouble !== reason) log.error({ error: reason, spooled: spooled() }, 'history not written')
      trouble = reason
      return false
    }
  }

  const work = async () => {
    while (!signal.aborted) {
      const fine = await tryFlush()
      await clock.sleep(fine ? FLUSH_MS : RETRY_MS, signal).catch(() => {})
    }
  }
  const working = work()

  const add = (entry: Spooled) => {
    spool.push(entry)
    if (spooled() <= MAX_SPOOLED) return
    spool.shift()
    dropped++
    if (dropped % 1000 === 1) log.error({ dropped }, 'history rows dropped')
  }

  return {
    record: (row) => add({ table: 'results', row }),
    recordWeights: (row) => add({ table: 'weights', row }),
    trouble: () => trouble,
    dropped: () => dropped,
    spooled,
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
