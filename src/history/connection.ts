import type { Log } from '../kernel/index.js'
import { type Database, type HistoryPlace, type OpenDatabase, openDatabase } from './database.js'
import { migrate } from './migrations.js'

/** The one connection to the database, opened and migrated on first use and again after a failure. */
export class HistoryConnection {
  #open: OpenDatabase | undefined
  #opening: Promise<OpenDatabase> | undefined

  constructor(
    private readonly place: HistoryPlace,
    private readonly log: Log,
  ) {}

  get isOpen(): boolean {
    return this.#open !== undefined
  }

  /**
   * Callers share one attempt, because PGlite must never be opened twice.
   *
   * @throws TargonError HISTORY_UNAVAILABLE
   */
  async database(): Promise<Database> {
    if (this.#open) return this.#open.database
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined
    })
    return (await this.#opening).database
  }

  async close(): Promise<void> {
    await this.#open?.close()
  }

  async #connect(): Promise<OpenDatabase> {
    const fresh = await openDatabase(this.place)
    try {
      await migrate(fresh.database)
    } catch (error) {
      await fresh.close().catch(() => {})
      throw error
    }
    const kind = 'folder' in this.place ? 'embedded' : 'postgres'
    this.log.info({ event: 'history-opened', kind }, 'opened the history database')
    this.#open = fresh
    return fresh
  }
}
