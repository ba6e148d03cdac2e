import { z } from 'zod'
import { noiseLevels } from '../../../evidence/index.js'
import type { StoredCalibration } from './calibration-file.js'

/** How far the engines of a model are calibrated, in the document of `GET /status`. */
export const calibrationState = z.object({
  model: z.string(),
  /** `stale`: measured with another version or other options of the engine; `running`: being measured for the first time. */
  state: z.enum(['calibrated', 'stale', 'running', 'none']),
  /** ISO 8601 in UTC. */
  at: z.string().optional(),
  answers: z.number().optional(),
  tokens: z.number().optional(),
  /** Versions of the engines measured. */
  versions: z.array(z.string()).optional(),
  /** Nats: what suspicion grants to honest servers. */
  logitScale: z.number().optional(),
  residual: z.number().optional(),
  /** Answers of the own engines that the strict rules would fail. */
  wouldFail: z.number().optional(),
})

export type CalibrationState = z.output<typeof calibrationState>

export function describeCalibration(
  model: string,
  state: CalibrationState['state'],
  stored: StoredCalibration | undefined,
): CalibrationState {
  if (!stored?.result) return { model, state }
  const { answers, tokens, noise } = stored.result
  const { logitScale, residual } = noiseLevels(noise).suspicion
  return {
    ...{ model, state, answers, tokens, logitScale, residual },
    at: new Date(stored.updatedAt).toISOString(),
    versions: stored.engines.map((engine) => engine.version ?? 'unknown'),
    wouldFail: stored.samples.filter(({ verdict }) => verdict !== 'verified').length,
  }
}

/** One line for a terminal. */
export function writeCalibration(state: CalibrationState): string {
  const { model, answers = 0, tokens = 0, at = '', versions = [], logitScale = 0, residual = 0 } = state
  switch (state.state) {
    case 'none':
      return `${model} is not calibrated: evidence is shown and changes no score. Calibrate it with: targon validator calibrate`
    case 'running':
      return `${model} is being calibrated: until then evidence is shown and changes no score.`
    case 'stale':
      return `${model} was calibrated with another engine (vLLM ${versions.join(', ')}): evidence is shown and changes no score until it is calibrated again.`
    case 'calibrated': {
      const odd = state.wouldFail ? ` The strict rules would fail ${state.wouldFail} of them.` : ''
      return `${model} is calibrated: ${answers} answers, ${tokens} tokens, vLLM ${versions.join(', ')}, ${at.slice(0, 16)}Z. Suspicion begins at ${logitScale.toFixed(3)} nats of noise per logit and ${residual.toFixed(3)} nats of log probability.${odd}`
    }
  }
}
