export { isForbiddenAddress, originOf } from './address-guard.js'
export type { ValidatorDeps } from './deps.js'
export { epochAt } from './epoch-task.js'
export { escapeTexts } from './escaped-texts.js'
export {
  describeFailures,
  type ExplainedMiner,
  type ExplainedReport,
  explainReport,
} from './explained.js'
export { type MinersReport, type ReportRequest, readMinersReport } from './read-report.js'
export type { ValidatorReport } from './report.js'
export { writeCsv } from './report-csv.js'
export { writePage } from './report-page.js'
export { startValidator } from './start.js'
export { type ValidatorStatus, validatorStatus } from './status.js'
export { startWatchdog, type Watchdog } from './watchdog.js'
