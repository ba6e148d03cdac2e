import type { ValidatorSettings } from '../../../config/index.js'
import { DEFAULT_FLOORS, type Noise, type NoiseLevels, noiseLevels } from '../../../evidence/index.js'

/** The noise granted to honest servers of a model, and whether a calibration of it is behind them. */
export interface LevelsInForce extends NoiseLevels {
  readonly isCalibrated: boolean
}

/** Looked up for every answer, so that a new calibration counts at once. */
export type LevelsFor = (model: string) => LevelsInForce

/**
 * Levels from the calibration of a model, or the floors of the settings alone.
 *
 * @param calibrated what the validator's own engines showed of a model; undefined where it has no valid calibration
 */
export function levelsFrom(
  settings: Pick<ValidatorSettings, 'evidence.floor-logits' | 'evidence.floor-logprobs'>,
  calibrated: (model: string) => Noise | undefined = () => undefined,
): LevelsFor {
  const floors: Noise = {
    logitScale: settings['evidence.floor-logits'],
    residual: settings['evidence.floor-logprobs'],
    unexplained: DEFAULT_FLOORS.unexplained,
  }
  return (model) => {
    const noise = calibrated(model)
    return { ...noiseLevels(noise, floors), isCalibrated: noise !== undefined }
  }
}

/** Whether answers weighed at the old levels may say too much at the new ones, because more noise is granted now. */
export function grantsMore(before: NoiseLevels, now: NoiseLevels): boolean {
  const exceeds = (a: Noise, b: Noise) =>
    b.logitScale > a.logitScale || b.residual > a.residual || b.unexplained > a.unexplained
  return exceeds(before.suspicion, now.suspicion) || exceeds(before.enforced, now.enforced)
}
