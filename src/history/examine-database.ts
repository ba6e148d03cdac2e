import { sql } from 'drizzle-orm'
import { openDatabase } from './open-database.js'

/** What a PostgreSQL server says of itself. */
export interface DatabaseDescription {
  /** Such as `PostgreSQL 17.2`. */
  readonly server: string
  /** A pooler such as PgBouncer stands in front. */
  readonly isPooled: boolean
}

/**
 * Connects to the server of the history and reads its version; creates and changes nothing.
 *
 * @throws TargonError HISTORY_UNAVAILABLE (runtime)
 */
export async function examineDatabase(url: string): Promise<DatabaseDescription> {
  const database = await openDatabase({ url })
  try {
    const [version] = await database.all<{ version: string }>(sql`select version() as version`)
    const [row] = await database.all<{ limit: string }>(
      sql`select current_setting('statement_timeout') as "limit"`,
    )
    return {
      server: (version?.version ?? 'PostgreSQL').split(' ').slice(0, 2).join(' '),
      // The limit that a direct connection sets is refused by a pooler, and then the server has its own.
      isPooled: row?.limit === '0',
    }
  } finally {
    await database.close()
  }
}
