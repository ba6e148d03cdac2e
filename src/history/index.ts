/**
 * Verdicts and weights over time in PostgreSQL or an embedded database, and the reports made from them.
 *
 * Tests named after a behaviour: history.test.ts (writer.ts, database.ts, report.ts, migrations.ts, pruning.ts), whose cases
 * in history-suite.ts also run against PostgreSQL, directly and through PgBouncer.
 */
export { type Database, type HistoryPlace, type OpenDatabase, openDatabase } from './database.js'
export { type History, type HistoryOptions, openHistory } from './history.js'
export { migrate } from './migrations.js'
export {
  type MinerReport,
  type ModelReport,
  minerReport,
  type ReportFilter,
  reportMiners,
} from './report.js'
export { type ResultRow, results, type WeightsRow, weights } from './schema.js'
