/**
 * What the validator tells its operator: status, history, and the reports made from both.
 *
 * Tests named after a behaviour: ../../../commands/validator/report.test.ts (report-page.ts,
 * report-csv.ts, report-text.ts), report-formats.property.test.ts (rows.ts),
 * report-page.test.ts (report-page-evidence.ts, report-evidence.ts, report-page-miner.ts, report-page-parts.ts),
 * status.test.ts (status-miners.ts).
 */
export { validatorApi } from './api.js'
export { countAnswers, noteStanding } from './count-answers.js'
export { type ExplainedMiner, type ExplainedReport, explainReport } from './explained.js'
export { type MinersReport, type ReportRequest, readMinersReport } from './read-report.js'
export { type RecentRounds, trackRounds } from './recent-rounds.js'
export { historyFile, openRecords, type Records, validatorLockPath } from './records.js'
export { writeCsv } from './report-csv.js'
export { writePage } from './report-page.js'
export { writeText } from './report-text.js'
export {
  type Status,
  trackStatus,
  type ValidatorReport,
  type ValidatorStatus,
  validatorStatus,
} from './status.js'
export { writeValidatorStatus } from './status-screen.js'
