import { sql } from 'drizzle-orm'
import type { Database } from './database.js'

/** What a PostgreSQL server says of itself. */
export interface DatabaseDescription {
  /** Such as `PostgreSQL 17.2`. */
  readonly server: string
  /** A pooler such as PgBouncer stands in front. */
  readonly isPooled: boolean
}

/** Reads the version of a PostgreSQL server; creates and changes nothing. */
export async function describeServer({ all }: Pick<Database, 'all'>): Promise<DatabaseDescription> {
  const [version] = await all<{ version: string }>(sql`select version() as version`)
  const [row] = await all<{ limit: string }>(sql`select current_setting('statement_timeout') as "limit"`)
  return {
    server: (version?.version ?? 'PostgreSQL').split(' ').slice(0, 2).join(' '),
    // The limit that a direct connection sets is refused by a pooler, and then the server has its own.
    isPooled: row?.limit === '0',
  }
}
