import { z } from 'zod'
import { noiseLevels } from '../../../evidence/index.js'
import type { StoredCalibration } from './calibration-file.js'
import { calibrationResult } from './calibration-result.js'

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
  /** What the engines measured told of themselves, by name: version, options, dtype where they show it. */
  engines: z.array(z.record(z.string(), z.string())).optional(),
  /** What was measured, before the safety factor. */
  measured: calibrationResult.optional(),
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
    engines: stored.engines,
    measured: stored.result,
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

/** The details of a calibration as names and values; none before there is one. */
export function calibrationFacts({ engines = [], measured, wouldFail = 0 }: CalibrationState): string[][] {
  if (!measured) return []
  const { noise, answers, tokens, drawn, mismatches, stated, residual } = measured
  const nats = (value: number) => value.toFixed(4)
  const { mean, median, p90, p99, largest } = residual
  return [
    ...engines.map((engine, index) => [`engine ${index + 1}`, optionsOf(engine)]),
    ['answers, tokens', `${answers}, ${tokens}`],
    ['answers that the strict rules would fail', String(wouldFail)],
    ['tokens drawn again, of them different', `${drawn}, ${mismatches}`],
    ['tokens with log probabilities compared', String(stated)],
    [
      'difference of log probabilities per answer: mean, median, p90, p99, largest (nats)',
      [mean, median, p90, p99, largest].map(nats).join(', '),
    ],
    ['measured noise of a logit difference (nats)', nats(noise.logitScale)],
    ['measured difference of log probabilities (nats)', nats(noise.residual)],
    ['measured share of unexplained tokens', noise.unexplained.toExponential(1)],
  ]
}

function optionsOf(engine: Readonly<Record<string, string>>): string {
  return Object.entries(engine)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
}
