/**
 * How much the validator's own engines differ from themselves and from each other, measured and kept beside the scores.
 *
 * Tests named after a behaviour: run.test.ts (measure.ts, calibration-file.ts,
 * calibration-state.ts).
 */
export { type CalibrateOptions, calibrateModels } from './calibrate-models.js'
export { openCalibrationFile, type StoredCalibration } from './calibration-file.js'
export {
  type CalibrationState,
  calibrationFacts,
  calibrationState,
  writeCalibration,
} from './calibration-state.js'
export { type Calibrations, openCalibrations } from './calibrations.js'
