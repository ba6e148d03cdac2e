import { isDeepStrictEqual } from 'node:util'
import type { ValidatorSettings } from '../../../config/index.js'
import { connectEngine, parseEngineEndpoints } from '../../../engine/index.js'
import { type Clock, type Log, TargonError, withDeadline } from '../../../kernel/index.js'
import type { Progress } from '../../../telemetry/index.js'
import { openCalibrationFile } from './calibration-file.js'
import { type CalibrationState, describeCalibration } from './calibration-state.js'
import { describeServers, runCalibration } from './run.js'

export interface CalibrateOptions {
  readonly settings: Pick<
    ValidatorSettings,
    | 'engine.endpoints'
    | 'engine.api-key'
    | 'engine.hub-url'
    | 'engine.hub-token'
    | 'engine.model-dir'
    | 'evidence.calibration-answers'
  >
  readonly stateDir: string
  /** All models with an endpoint when undefined. */
  readonly model: string | undefined
  /** Measure anew what is already calibrated. */
  readonly again: boolean
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly progress: Progress
}

const READY_MS = 60_000
const PARALLEL = 4

/**
 * Calibrates the engines at the configured endpoints, one model after the other.
 *
 * @throws TargonError CALIBRATION_NO_ENGINE (fault usage), ENGINE_UNAVAILABLE (upstream), and what `runCalibration` throws
 */
export async function calibrateModels(options: CalibrateOptions): Promise<readonly CalibrationState[]> {
  const { model, settings } = options
  const endpoints = parseEngineEndpoints(settings['engine.endpoints'])
  const wanted = endpoints.filter((endpoint) => model === undefined || endpoint.model === model)
  if (wanted.length === 0)
    throw noEngine(
      model,
      endpoints.map((endpoint) => endpoint.model),
    )
  const states: CalibrationState[] = []
  for (const { model, urls } of wanted) states.push(await calibrateOne(options, model, urls))
  return states
}

async function calibrateOne(
  { settings, stateDir, again, clock, log, signal, progress }: CalibrateOptions,
  model: string,
  urls: readonly string[],
): Promise<CalibrationState> {
  const file = openCalibrationFile(stateDir, model)
  const engine = connectEngine({
    ...{ model, urls, clock, log, cacheDir: stateDir },
    apiKey: settings['engine.api-key'],
    hubUrl: settings['engine.hub-url'],
    hubToken: settings['engine.hub-token'],
    modelDir: settings['engine.model-dir'],
  })
  try {
    progress.report(model, 'waiting for the engine')
    await withDeadline(clock, `waiting for the engine of ${model}`, READY_MS, signal, (inner) =>
      engine.whenReady(inner),
    ).catch((error: unknown) => {
      signal.throwIfAborted()
      throw notReady(model, engine.unreadyReason, error)
    })
    const servers = engine.servers?.() ?? []
    const known = again ? undefined : await file.complete()
    if (known && isDeepStrictEqual(known.engines, await describeServers(servers, signal)))
      return describeCalibration(model, 'calibrated', known)
    const answers = settings['evidence.calibration-answers']
    const onProgress = (done: number, planned: number) =>
      progress.report(model, `${done} of ${planned} answers`, (100 * done) / planned)
    const run = { model, servers, file, answers, parallel: PARALLEL, clock, log, signal, onProgress }
    return describeCalibration(model, 'calibrated', await runCalibration(run))
  } finally {
    progress.end()
    await engine.close()
  }
}

function noEngine(model: string | undefined, others: readonly string[]): TargonError {
  const which = model === undefined ? 'There is no engine to calibrate' : `No endpoint serves ${model}`
  const rest = others.length > 0 ? `: the endpoints serve ${others.join(', ')}` : ''
  return new TargonError(`${which}${rest}.`, {
    code: 'CALIBRATION_NO_ENGINE',
    fault: 'usage',
    next: 'Set --engine.endpoints model=url. A running validator calibrates the engines in its containers by itself.',
  })
}

function notReady(model: string, reason: string | undefined, cause: unknown): TargonError {
  return new TargonError(
    `The engine of ${model} is not ready${reason === undefined ? '' : `: ${reason.replace(/\.$/, '')}`}.`,
    { code: 'ENGINE_UNAVAILABLE', fault: 'upstream', next: 'Check that the engine runs and is reachable.' },
    { cause },
  )
}
