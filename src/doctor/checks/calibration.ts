import type { ValidatorContext } from '../context.js'
import { type Seen, warn } from '../finding.js'

const CALIBRATE = 'Run targon validator calibrate.'

/** @param described what the engine tells of itself now */
export async function calibrationFinding(
  model: string,
  described: Readonly<Record<string, string>>,
  { stateDir, settings }: ValidatorContext,
): Promise<Seen[]> {
  if (stateDir === undefined) return []
  const { openCalibrationFile } = await import('../../roles/validator/calibration/index.js')
  const stored = await openCalibrationFile(stateDir, model).complete()
  // A running validator measures it in the background.
  if (!stored?.result && settings['evidence.calibrate']) return []
  if (!stored?.result)
    return [warn(`The engine of ${model} is not calibrated: evidence changes no score.`, CALIBRATE)]
  const versions = stored.engines.map(({ version }) => version)
  if (described.version === undefined || versions.includes(described.version)) return []
  return [
    warn(
      `${model} was calibrated with vLLM ${versions.join(', ')}, and its engine is ${described.version} now.`,
      CALIBRATE,
    ),
  ]
}
