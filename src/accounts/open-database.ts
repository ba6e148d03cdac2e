import { access } from 'node:fs/promises'
import {
  adviceOnOpening,
  type Database,
  type DatabasePlace,
  isDamage,
  migrate,
  openDatabase,
} from '../database/index.js'
import { messageOf, TargonError } from '../kernel/index.js'
import { MIGRATIONS, MIGRATIONS_TABLE } from './migrations.js'
import { accountsPlace, type HubPlace } from './place.js'

/** The queries of this module name tables and columns themselves. */
const NO_TABLES = { postgres: async () => ({}), embedded: async () => ({}) }

/**
 * Opens the database of the keys and brings it up to date.
 *
 * @throws TargonError ACCOUNTS_UNAVAILABLE; its message omits the URL, which contains a password
 */
export async function openAccountsDatabase(place: DatabasePlace): Promise<Database> {
  let database: Database | undefined
  try {
    database = await openDatabase(place, NO_TABLES)
    await migrate(database, MIGRATIONS_TABLE, MIGRATIONS)
    return database
  } catch (error) {
    await database?.close().catch(() => {})
    throw new TargonError(
      `The database of the API keys could not be opened: ${messageOf(error).replace(/\.$/, '')}.`,
      { code: 'ACCOUNTS_UNAVAILABLE', fault: 'runtime', next: adviceOn(error, place) },
      { cause: error },
    )
  }
}

/** Keys are not replaced by an empty file, as a history is: users would lose theirs. */
function adviceOn(error: unknown, place: DatabasePlace): string {
  if ('file' in place && isDamage(error))
    return `Restore ${place.file} from a backup, or read what it still holds with: sqlite3 ${place.file} .recover`
  return adviceOnOpening(error, place)
}

/**
 * Opens the database of a hub for one piece of work, also while the hub runs.
 *
 * @throws TargonError ACCOUNTS_UNAVAILABLE
 */
export async function useAccounts<T>(hub: HubPlace, work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openAccountsDatabase(accountsPlace(hub))
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}

/** Like useAccounts, but creates no file: undefined when there is none yet. */
export async function useExistingAccounts<T>(
  hub: HubPlace,
  work: (database: Database) => Promise<T>,
): Promise<T | undefined> {
  const place = accountsPlace(hub)
  const isThere =
    'url' in place ||
    (await access(place.file).then(
      () => true,
      () => false,
    ))
  return isThere ? useAccounts(hub, work) : undefined
}
