import { messageOf, TargonError } from '../kernel/index.js'
import type { Database, HistoryPlace } from './database.js'

export interface OpenOptions {
  /** Only reads: an SQLite file must exist and is not written. Without effect on PostgreSQL. */
  readonly isReadOnly?: boolean
}

/**
 * Opens the database; drivers are loaded on first use. Its tables may be missing or those of an older release.
 *
 * @throws TargonError HISTORY_UNAVAILABLE (fault runtime); its message omits the URL, which contains a password.
 */
export async function openDatabase(
  place: HistoryPlace,
  { isReadOnly = false }: OpenOptions = {},
): Promise<Database> {
  try {
    if ('url' in place) return await (await import('./postgres-database.js')).openPostgres(place.url)
    return await (await import('./sqlite.js')).openSqlite(place.file, isReadOnly)
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
            : `Check that ${place.file} and its folder belong to the user that runs this command and are writable.`,
      },
      { cause: error },
    )
  }
}
