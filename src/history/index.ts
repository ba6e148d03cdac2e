/**
 * Verdicts and weights over time in an SQLite file or on a PostgreSQL server, and the reports made from them.
 *
 * Tests named after a behaviour: history.test.ts (writer.ts, report.ts, report-queries.ts, migrations.ts,
 * postgres-database.ts), whose cases in history-suite.ts also run against PostgreSQL, directly and through PgBouncer;
 * sqlite-faults.test.ts (connection.ts, sqlite.ts).
 */
export type { Database, HistoryPlace, ResultRow, WeightsRow } from './database.js'
export { type History, type HistoryOptions, openHistory } from './history.js'
export { migrate } from './migrations.js'
export { openDatabase } from './open-database.js'
export { type ReportFilter, reportMiners } from './report.js'
export { type MinerReport, type ModelReport, minerReport } from './report-document.js'
export { readNewestValidator } from './report-queries.js'
