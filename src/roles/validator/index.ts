/** The validator: queries miners in rounds, verifies every answer, scores speed and sets weights once per epoch. */
export { type CalibrationState, calibrateModels, writeCalibration } from './calibration/index.js'
export { epochAt } from './epochs/index.js'
export { exportBundle } from './evidence/index.js'
export { startWatchdog, type Watchdog } from './health/index.js'
export type { ValidatorReport } from './reports/index.js'
export {
  type ExplainedMiner,
  type ExplainedReport,
  explainReport,
  type MinersReport,
  type ReportRequest,
  readMinersReport,
  type ValidatorStatus,
  validatorStatus,
  writeCsv,
  writePage,
  writeText,
  writeValidatorStatus,
} from './reports/index.js'
export { startValidator } from './start.js'
export { originOf } from './subnet/index.js'
export type { ValidatorDeps } from './validator.js'
