import { isDamage, setAside } from '../database/index.js'
import type { Clock, Log } from '../kernel/index.js'
import type { Database, HistoryPlace } from './database.js'
import { migrate } from './migrations.js'
import { noteOldFolder } from './old-folder.js'
import { openDatabase } from './open-database.js'

/** The one connection to the database, opened and migrated on first use and again after a failure. */
export class HistoryConnection {
  #open: Database | undefined
  #opening: Promise<Database> | undefined
  #hasNotedFolder = false

  constructor(
    private readonly place: HistoryPlace,
    private readonly clock: Pick<Clock, 'now'>,
    private readonly log: Log,
  ) {}

  get isOpen(): boolean {
    return this.#open !== undefined
  }

  /**
   * Callers share one attempt. A damaged SQLite file is set aside and a new one created.
   *
   * @throws TargonError HISTORY_UNAVAILABLE
   */
  async database(): Promise<Database> {
    if (this.#open) return this.#open
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  /** A query failed. The next one finds a new connection, and a new file if this one is damaged. */
  async noteFailure(error: unknown): Promise<void> {
    // a pool of connections to PostgreSQL replaces broken ones itself
    if (this.#open?.kind !== 'embedded') return
    const broken = this.#open
    this.#open = undefined
    await broken.close()
    if (isDamage(error)) await this.#setAside(error)
  }

  async close(): Promise<void> {
    await this.#open?.close()
    this.#open = undefined
  }

  async #connect(): Promise<Database> {
    const fresh = await this.#openAndMigrate().catch(async (error: unknown) => {
      if (!isDamage(error)) throw error
      await this.#setAside(error)
      return this.#openAndMigrate()
    })
    this.log.info({ event: 'history-opened', kind: fresh.kind }, 'opened the history database')
    if ('file' in this.place && !this.#hasNotedFolder) await noteOldFolder(this.place.file, this.log)
    this.#hasNotedFolder = true
    this.#open = fresh
    return fresh
  }

  async #openAndMigrate(): Promise<Database> {
    const fresh = await openDatabase(this.place)
    try {
      await migrate(fresh)
    } catch (error) {
      await fresh.close().catch(() => {})
      throw error
    }
    return fresh
  }

  async #setAside(error: unknown): Promise<void> {
    if (!('file' in this.place)) return
    const movedTo = await setAside(this.place.file, this.clock.now())
    this.log.error(
      {
        event: 'history-set-aside',
        movedTo,
        err: error,
        next: `Recover what it still holds with: sqlite3 ${movedTo} .recover; or delete it.`,
      },
      'the history file is damaged: it was renamed and a new one is created; scores and weights do not depend on it',
    )
  }
}
