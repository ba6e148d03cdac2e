/**
 * SQL for the modules that keep rows: SQLite on a thread of its own, or a PostgreSQL server, and migrations of either. Errors are
 * those of the drivers; the modules add what the database is for.
 *
 * Tests named after a behaviour: ../history/history.test.ts (migrate.ts, postgres-database.ts) and
 * ../history/sqlite-faults.test.ts (sqlite-thread.ts).
 */
export { setAside } from './damaged-file.js'
export type { Database, DatabasePlace, Query, Schema } from './database.js'
export { type DatabaseDescription, describeServer } from './describe-server.js'
export { type Migration, migrate, schemaVersion } from './migrate.js'
export { isOlderSchema } from './older-schema.js'
export { adviceOnOpening, type OpenOptions, openDatabase } from './open-database.js'
export { adviceOn, isDamage } from './sqlite-error.js'
