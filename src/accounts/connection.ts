import { adviceOn, type Database, type DatabasePlace } from '../database/index.js'
import { type Clock, type Log, messageOf, TargonError } from '../kernel/index.js'
import { openAccountsDatabase } from './open-database.js'

/** Tries for one piece of work when other connections are in the way. */
const TRIES = 3

/** The connection to the database of the keys: opened on first use, and again after a failure. */
export class AccountsConnection {
  /** Why the database cannot be used; undefined while it can. */
  trouble: string | undefined
  #open: Database | undefined
  #opening: Promise<Database> | undefined
  #usableSince: number | undefined

  constructor(
    private readonly place: DatabasePlace,
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly log: Log,
  ) {}

  /** For how long no use has failed, in milliseconds; 0 before the first use and after a failure. */
  get usableForMs(): number {
    return this.#usableSince === undefined ? 0 : this.clock.monotonic() - this.#usableSince
  }

  /**
   * Runs queries, again at once when other connections were in the way.
   *
   * @throws TargonError ACCOUNTS_UNAVAILABLE
   */
  async use<T>(work: (database: Database) => Promise<T>): Promise<T> {
    let database: Database | undefined
    try {
      database = await this.#database()
      const result = await retry(database, work)
      this.#noteSuccess()
      return result
    } catch (error) {
      await this.#noteFailure(error, database)
      throw unavailable(error)
    }
  }

  async close(): Promise<void> {
    await this.#open?.close().catch(() => {})
    this.#open = undefined
  }

  /** Callers share one attempt to open it. */
  async #database(): Promise<Database> {
    if (this.#open) return this.#open
    this.#opening ??= openAccountsDatabase(this.place).finally(() => {
      this.#opening = undefined
    })
    this.#open = await this.#opening
    return this.#open
  }

  #noteSuccess(): void {
    this.#usableSince ??= this.clock.monotonic()
    if (this.trouble === undefined) return
    this.trouble = undefined
    this.log.info({ event: 'accounts-recovered' }, 'the database of the API keys answers again')
  }

  async #noteFailure(error: unknown, database: Database | undefined): Promise<void> {
    this.#usableSince = undefined
    const reason = messageOf(error)
    const next = error instanceof TargonError ? error.next : adviceOn(error)
    if (this.trouble === undefined)
      this.log.error(
        { event: 'accounts-unavailable', reason, next },
        'the database of the API keys cannot be used; requests of users are refused until it answers',
      )
    this.trouble = reason
    // a pool of connections to PostgreSQL replaces broken ones itself
    if (database?.kind !== 'embedded' || this.#open !== database) return
    this.#open = undefined
    await database.close().catch(() => {})
  }
}

async function retry<T>(database: Database, work: (database: Database) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(database)
    } catch (error) {
      if (attempt === TRIES || !database.isContention(error)) throw error
    }
  }
}

/** The error that a request ends with, whatever the driver said. */
export function unavailable(error: unknown): TargonError {
  if (error instanceof TargonError && error.code === 'ACCOUNTS_UNAVAILABLE') return error
  return new TargonError(
    `The database of the API keys cannot be used: ${messageOf(error).replace(/\.$/, '')}.`,
    {
      code: 'ACCOUNTS_UNAVAILABLE',
      fault: 'runtime',
      next: 'Try again in a few seconds. If it recurs, check the PostgreSQL server, or the disk of the state folder.',
    },
    { cause: error },
  )
}
