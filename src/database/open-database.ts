import { messageOf } from '../kernel/index.js'
import type { Database, DatabasePlace, Schema, Tables } from './database.js'

export interface OpenOptions {
  /** Only reads: an SQLite file must exist and is not written. Without effect on PostgreSQL. */
  readonly isReadOnly?: boolean
}

/**
 * Opens the database; drivers are loaded on first use. Its tables may be missing or those of an older release.
 *
 * @throws the error of the driver, whose message omits the URL, which contains a password; `adviceOnOpening` explains it
 */
export async function openDatabase<T extends Tables>(
  place: DatabasePlace,
  schema: Schema<T>,
  { isReadOnly = false }: OpenOptions = {},
): Promise<Database<T>> {
  if ('url' in place) {
    const { openPostgres } = await import('./postgres-database.js')
    return openPostgres(place.url, await schema.postgres())
  }
  const { openSqlite } = await import('./sqlite.js')
  return openSqlite(place.file, await schema.embedded(), isReadOnly)
}

const CERTIFICATE = /certificate|altnames/i
const NO_TLS = /does not support SSL/i

/** What an operator can do about a database that could not be opened. */
export function adviceOnOpening(error: unknown, place: DatabasePlace): string {
  if ('file' in place)
    return `Check that ${place.file} and its folder belong to the user that runs this command and are writable.`
  const reason = messageOf(error)
  if (CERTIFICATE.test(reason))
    return 'Add sslrootcert=<file with the CA> to --database.url, or sslmode=no-verify to accept any certificate.'
  if (NO_TLS.test(reason)) return 'Remove sslmode from --database.url, or turn on TLS at the server.'
  return 'Check --database.url and the PostgreSQL server.'
}
