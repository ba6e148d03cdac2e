import type { StoredCalibration } from '../../../../src/roles/validator/calibration/calibration-file.js'

/** A complete calibration of an engine of this version. */
export function calibrationOf(model: string, version = '0.32.0', residual = 0.02): StoredCalibration {
  return {
    ...{ model, code: '5.0.0', engines: [{ version }], startedAt: 1, updatedAt: 2, planned: 36 },
    ...{ failed: [], samples: [] },
    result: {
      noise: { logitScale: 0.02, residual, unexplained: 0 },
      ...{ answers: 36, tokens: 4000, drawn: 1500, mismatches: 3, stated: 1300 },
      residual: { mean: 0.01, median: 0.01, p90: 0.015, p99: residual, largest: residual },
    },
  }
}
