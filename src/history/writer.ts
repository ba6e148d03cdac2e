import { adviceOn } from '../database/index.js'
import { type Clock, DeadlineError, type Log, messageOf, TargonError, withDeadline } from '../kernel/index.js'
import type { HistoryConnection } from './connection.js'
import type { Database } from './database.js'
import type { Prune } from './pruning.js'
import type { Spool, SpooledRow } from './spool.js'

const BATCH_ROWS = 500
const WRITE_TIMEOUT_MS = 30_000

/** Writes the spooled rows in batches and logs, once each, why it cannot and that it can again. */
export class HistoryWriter {
  /** Why rows cannot be written; undefined while they can. */
  trouble: string | undefined = 'the history database is still being opened'
  /** Rows the database rejected because of their data. */
  rejected = 0
  /** The insertion of the current batch; one that takes too long is waited for again, because repeating it could write twice. */
  #inserting: Promise<void> | undefined

  constructor(
    private readonly connection: HistoryConnection,
    private readonly spool: Spool,
    private readonly prune: Prune,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Writes all spooled rows. @returns whether it succeeded; never rejects. */
  async flush(): Promise<boolean> {
    try {
      await this.#writeAll()
      if (this.trouble !== undefined && this.connection.isOpen)
        this.log.debug({ event: 'history-recovered' }, 'the history database accepts rows again')
      this.trouble = undefined
      return true
    } catch (error) {
      if (!(error instanceof DeadlineError)) await this.connection.noteFailure(error).catch(() => {})
      const reason = messageOf(error)
      const next = error instanceof TargonError ? error.next : adviceOn(error)
      if (this.trouble !== reason)
        this.log.error(
          { event: 'history-write-failed', reason, next, spooled: this.spool.size },
          'could not write to the history database',
        )
      this.trouble = reason
      return false
    }
  }

  async #writeAll(): Promise<void> {
    const database = await this.connection.database()
    let limit = BATCH_ROWS
    for (let rows = this.spool.next(limit); rows.length > 0; rows = this.spool.next(limit)) {
      try {
        await this.#insert(database, rows)
        this.spool.confirm()
        limit = Math.min(BATCH_ROWS, 2 * limit)
      } catch (error) {
        if (!database.isRowError(error)) throw error
        // halved until the rejected row is alone, so that it does not keep the others out
        limit = Math.max(1, rows.length >> 1)
        if (rows.length === 1) this.#dropRejected(error)
        else this.spool.split(limit)
      }
    }
    await this.prune(database)
  }

  async #insert(database: Database, batch: readonly SpooledRow[]): Promise<void> {
    const results = batch.flatMap((entry) => (entry.table === 'results' ? [entry.row] : []))
    const weights = batch.flatMap((entry) => (entry.table === 'weights' ? [entry.row] : []))
    const evidence = batch.flatMap((entry) => (entry.table === 'evidence' ? [entry.row] : []))
    this.#inserting ??= database.insert({ results, weights, evidence })
    const inserting = this.#inserting
    try {
      await withDeadline(this.clock, 'writing the history', WRITE_TIMEOUT_MS, undefined, () => inserting)
      this.#inserting = undefined
    } catch (error) {
      if (!(error instanceof DeadlineError)) this.#inserting = undefined
      throw error
    }
  }

  #dropRejected(error: unknown): void {
    this.spool.confirm()
    this.rejected++
    if (this.rejected % 100 === 1)
      this.log.error(
        { event: 'history-row-refused', reason: messageOf(error), rejected: this.rejected },
        'dropped a history row that the database rejected',
      )
  }
}
