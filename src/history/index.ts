/**
 * Verdicts, weights and evidence over time in an SQLite file or on a PostgreSQL server, and the reports made from them.
 *
 * Tests named after a behaviour: history.test.ts (writer.ts, report.ts, report-queries.ts, migrations.ts, evidence-queries.ts,
 * report-document.ts), whose cases in history-suite.ts also run against PostgreSQL, directly and through PgBouncer;
 * sqlite-faults.test.ts (connection.ts).
 */
export type { Database, EvidenceRecord, HistoryPlace, ResultRow, WeightsRow } from './database.js'
export { examineDatabase } from './examine-database.js'
export { type History, type HistoryOptions, openHistory } from './history.js'
export { migrate } from './migrations.js'
export { openDatabase } from './open-database.js'
export { type ReportFilter, reportMiners } from './report.js'
export {
  type EvidenceReport,
  type MinerReport,
  type ModelReport,
  minerReport,
  type StatisticEvidence,
} from './report-document.js'
export { readNewestValidator } from './report-queries.js'
