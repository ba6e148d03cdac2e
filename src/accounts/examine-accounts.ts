import {
  adviceOnOpening,
  type DatabaseDescription,
  describeServer,
  openDatabase,
  schemaVersion,
} from '../database/index.js'
import { messageOf, TargonError } from '../kernel/index.js'
import { MIGRATIONS, MIGRATIONS_TABLE } from './migrations.js'

export interface ExaminedAccounts extends DatabaseDescription {
  /** `new`: without tables; `older` and `newer`: another release wrote it last. */
  readonly schema: 'new' | 'older' | 'current' | 'newer'
}

/**
 * Connects to the PostgreSQL server of the keys and reads which schema it has; creates and changes nothing.
 *
 * @throws TargonError ACCOUNTS_UNAVAILABLE; its message omits the URL, which contains a password
 */
export async function examineAccounts(url: string): Promise<ExaminedAccounts> {
  try {
    const database = await openDatabase({ url }, { postgres: async () => ({}), embedded: async () => ({}) })
    try {
      const version = await schemaVersion(database, MIGRATIONS_TABLE)
      return { ...(await describeServer(database)), schema: schemaOf(version) }
    } finally {
      await database.close()
    }
  } catch (error) {
    throw new TargonError(
      `The database of the API keys does not answer: ${messageOf(error).replace(/\.$/, '')}.`,
      { code: 'ACCOUNTS_UNAVAILABLE', fault: 'runtime', next: adviceOnOpening(error, { url }) },
      { cause: error },
    )
  }
}

function schemaOf(version: number | undefined): ExaminedAccounts['schema'] {
  if (version === undefined) return 'new'
  if (version === MIGRATIONS.length) return 'current'
  return version < MIGRATIONS.length ? 'older' : 'newer'
}
