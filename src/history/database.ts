import { mkdir } from 'node:fs/promises'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { messageOf, TargonError } from '../kernel/index.js'
import * as schema from './schema.js'

interface RowsOf<Row> {
  readonly rows: Row[]
}

interface Rows extends PgQueryResultHKT {
  readonly type: RowsOf<this['row']>
}

/** The interface common to both drivers. */
export type Database = PgDatabase<Rows, typeof schema>

export interface OpenDatabase {
  readonly database: Database
  close(): Promise<void>
}

/** Where the history is stored: a PostgreSQL server, or PGlite in a folder. */
export type HistoryPlace = { readonly url: string } | { readonly folder: string }

/**
 * Opens the database. Drivers are loaded on first use; opening PGlite takes about two seconds. A PGlite folder may be open
 * in one process only: the caller must hold the hotkey lock.
 *
 * @throws TargonError HISTORY_UNAVAILABLE (fault runtime); its message omits the URL, which contains a password.
 */
export async function openDatabase(place: HistoryPlace): Promise<OpenDatabase> {
  try {
    if ('folder' in place) return await openEmbedded(place.folder)
    return await openPostgres(place.url)
  } catch (error) {
    if (error instanceof TargonError) throw error
    throw new TargonError(
      `The history database could not be opened: ${messageOf(error)}.`,
      {
        code: 'HISTORY_UNAVAILABLE',
        fault: 'runtime',
        next:
          'url' in place
            ? 'Check --database.url and the PostgreSQL server.'
            : `Stop the validator and move ${place.folder} away. A new history is created; scores and weights do not depend on the old one.`,
      },
      { cause: error },
    )
  }
}

async function openPostgres(url: string): Promise<OpenDatabase> {
  const [{ drizzle }, { connectPostgres }] = await Promise.all([
    import('drizzle-orm/node-postgres'),
    import('./postgres.js'),
  ])
  const pool = await connectPostgres(url)
  return { database: drizzle(pool, { schema }), close: () => pool.end() }
}

async function openEmbedded(folder: string): Promise<OpenDatabase> {
  const [{ drizzle }, { PGlite }] = await Promise.all([
    import('drizzle-orm/pglite'),
    import('@electric-sql/pglite'),
  ])
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lite = await PGlite.create(folder)
  return { database: drizzle(lite, { schema }), close: () => lite.close() }
}
