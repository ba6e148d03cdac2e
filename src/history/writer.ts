import { type Clock, type Log, messageOf, TargonError, withDeadline } from '../kernel/index.js'
import type { HistoryConnection } from './connection.js'
import type { Database } from './database.js'
import type { Prune } from './pruning.js'
import { results, weights } from './schema.js'
import type { Spool, SpooledRow } from './spool.js'

const BATCH_ROWS = 500
const WRITE_TIMEOUT_MS = 30_000

/** Writes the spooled rows in batches and logs, once each, why it cannot and that it can again. */
export class HistoryWriter {
  /** Why rows cannot be written; undefined while they can. */
  trouble: string | undefined = 'the history database is still being opened'
  /** Rows the database rejected because of their data. */
  rejected = 0

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
      const reason = reasonOf(error)
      const next = error instanceof TargonError ? error.next : undefined
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
        if (!isRowError(error)) throw error
        // halved until the rejected row is alone, so that it does not keep the others out
        limit = Math.max(1, rows.length >> 1)
        if (rows.length === 1) this.#dropRejected(error)
        else this.spool.split(limit)
      }
    }
    await this.prune(database)
  }

  async #insert(database: Database, batch: readonly SpooledRow[]): Promise<void> {
    const answers = batch.flatMap((entry) => (entry.table === 'results' ? [entry.row] : []))
    const updates = batch.flatMap((entry) => (entry.table === 'weights' ? [entry.row] : []))
    await withDeadline(this.clock, 'writing the history', WRITE_TIMEOUT_MS, undefined, () =>
      database.transaction(async (transaction) => {
        if (answers.length > 0) await transaction.insert(results).values(answers)
        if (updates.length > 0) await transaction.insert(weights).values(updates)
      }),
    )
  }

  #dropRejected(error: unknown): void {
    this.spool.confirm()
    this.rejected++
    if (this.rejected % 100 === 1)
      this.log.error(
        { event: 'history-row-refused', reason: reasonOf(error), rejected: this.rejected },
        'dropped a history row that the database rejected',
      )
  }
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation). */
const DATA_ERROR = /^2[23]/

/** Whether the database rejected the rows themselves, so that writing them again would fail as well. */
function isRowError(error: unknown): boolean {
  const { cause } = error instanceof Error ? error : {}
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' && DATA_ERROR.test(code)
}

/** The message of the database. That of the wrapping query error contains the query and the values of all its rows. */
function reasonOf(error: unknown): string {
  if (error instanceof TargonError || !(error instanceof Error)) return messageOf(error)
  return messageOf(error.cause ?? error)
}
