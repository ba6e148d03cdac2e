import {
  adviceOnOpening,
  type Database,
  type DatabasePlace,
  migrate,
  openDatabase,
} from '../database/index.js'
import { messageOf, TargonError } from '../kernel/index.js'
import { MIGRATIONS, MIGRATIONS_TABLE } from './migrations.js'

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
      `The database of the API keys could not be opened: ${messageOf(error)}.`,
      { code: 'ACCOUNTS_UNAVAILABLE', fault: 'runtime', next: adviceOnOpening(error, place) },
      { cause: error },
    )
  }
}
