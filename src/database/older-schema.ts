import { hasCode } from '../kernel/index.js'
import { SqliteError } from './sqlite-error.js'

/** SQLite has no code for it. */
const MISSING = /^no such (table|column)\b/

/** Whether a query failed because a table or column of this release is missing: an older release wrote the database last. */
export function isOlderSchema(error: unknown): boolean {
  // drizzle wraps the error of PostgreSQL's driver; undefined_table and undefined_column
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (cause instanceof SqliteError) return MISSING.test(cause.message)
  return hasCode(cause, '42P01') || hasCode(cause, '42703')
}
