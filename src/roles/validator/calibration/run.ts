import { isDeepStrictEqual } from 'node:util'
import type { EngineServerView } from '../../../engine/index.js'
import { type Clock, type Log, packageVersion, TargonError } from '../../../kernel/index.js'
import type { CalibrationFile, StoredCalibration } from './calibration-file.js'
import { lockCalibration } from './calibration-lock.js'
import { concludeCalibration } from './calibration-result.js'
import { measureAnswer } from './measure.js'

export interface CalibrationRun {
  readonly model: string
  /** Ready servers of the model, at least one. */
  readonly servers: readonly EngineServerView[]
  readonly file: CalibrationFile
  /** Answers to measure. */
  readonly answers: number
  /** Answers measured at the same time. */
  readonly parallel: number
  readonly clock: Clock
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly signal: AbortSignal
  /** Called before each answer; resolves when it may be asked for. */
  readonly ready?: (signal: AbortSignal) => Promise<void>
  readonly onProgress?: (done: number, planned: number) => void
}

/** What is done is kept at least this often. */
const SAVE_MS = 5_000
const REASON_LENGTH = 500

/**
 * Measures the noise of a model's servers and keeps the result. What an earlier run measured on the same servers counts; an
 * abort keeps what is done.
 *
 * @throws TargonError CALIBRATION_FAILED, CALIBRATION_TOO_LITTLE (fault upstream), CALIBRATION_FILE,
 * CALIBRATION_RUNNING (usage)
 */
export async function runCalibration(run: CalibrationRun): Promise<StoredCalibration> {
  const lock = await lockCalibration(run.file.path, run.model, run)
  try {
    return await runLocked(run)
  } finally {
    await lock.release()
  }
}

async function runLocked(run: CalibrationRun): Promise<StoredCalibration> {
  const { model, servers, file, clock, signal } = run
  const engines = await describeServers(servers, signal)
  const earlier = await file.unfinished()
  const isSame = earlier !== undefined && isDeepStrictEqual(earlier.engines, engines)
  let stored: StoredCalibration = {
    ...{ model, code: packageVersion(), engines, updatedAt: clock.now(), planned: run.answers },
    startedAt: isSame ? earlier.startedAt : clock.now(),
    samples: isSame ? earlier.samples.filter(({ index }) => index < run.answers) : [],
    failed: [],
  }
  let savedAt = clock.monotonic()
  const keep = async () => {
    savedAt = clock.monotonic()
    await file.save(stored)
  }
  try {
    await measureAll(run, stored, async (index, { samples, failure }) => {
      stored = {
        ...stored,
        updatedAt: clock.now(),
        samples: [...stored.samples, ...samples],
        failed:
          failure === undefined
            ? stored.failed
            : [...stored.failed, { index, reason: failure.slice(0, REASON_LENGTH) }],
      }
      run.onProgress?.(doneOf(stored), run.answers)
      if (clock.monotonic() - savedAt >= SAVE_MS) await keep()
      requireAnswers(stored)
    })
  } finally {
    await keep()
  }
  if (!isDeepStrictEqual(await describeServers(servers, signal), engines))
    throw failed(model, 'the engine was replaced or changed meanwhile', 'Run the calibration again.')
  const result = concludeCalibration(stored.samples.map(({ observation }) => observation))
  if (!result) throw tooLittle(stored)
  stored = { ...stored, result }
  await keep()
  return stored
}

/** What the servers say of themselves, without duplicates, in an order of their own. */
export async function describeServers(
  servers: readonly EngineServerView[],
  signal: AbortSignal,
): Promise<Record<string, string>[]> {
  const described = await Promise.all(servers.map((server) => server.describe(signal)))
  const texts = described.map((one) => JSON.stringify(Object.fromEntries(Object.entries(one).sort())))
  const byText = new Map(described.map((one, index) => [texts[index] ?? '', { ...one }]))
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

async function measureAll(
  run: CalibrationRun,
  { samples }: StoredCalibration,
  add: (index: number, measured: Awaited<ReturnType<typeof measureAnswer>>) => Promise<void>,
): Promise<void> {
  const { servers, clock, signal } = run
  const measured = new Set(samples.map(({ index }) => index))
  const missing = Array.from({ length: run.answers }, (_, index) => index).filter(
    (index) => !measured.has(index),
  )
  run.onProgress?.(measured.size, run.answers)
  let hasFailed = false
  const worker = async () => {
    for (let index = missing.shift(); index !== undefined && !hasFailed; index = missing.shift()) {
      signal.throwIfAborted()
      await run.ready?.(signal)
      await add(index, await measureAnswer(servers, index, clock, signal))
    }
  }
  const guarded = () =>
    worker().catch((error: unknown) => {
      hasFailed = true
      throw error
    })
  const ended = await Promise.allSettled(Array.from({ length: Math.max(1, run.parallel) }, guarded))
  for (const one of ended) if (one.status === 'rejected') throw one.reason
}

function doneOf({ samples, failed }: StoredCalibration): number {
  return new Set([...samples, ...failed].map(({ index }) => index)).size
}

/** @throws TargonError CALIBRATION_FAILED when more answers fail than an honest engine explains */
function requireAnswers({ model, failed: failures, planned }: StoredCalibration): void {
  const last = failures.at(-1)
  if (!last || failures.length < Math.max(5, planned / 4)) return
  const reason = `${failures.length} answers could not be measured, the last one because ${last.reason}`
  throw failed(
    model,
    reason,
    'Check the engine, then run the calibration again; it continues where it stopped.',
  )
}

function failed(model: string, reason: string, next: string): TargonError {
  return new TargonError(`Could not calibrate ${model}: ${reason.replace(/\.$/, '')}.`, {
    code: 'CALIBRATION_FAILED',
    fault: 'upstream',
    next,
  })
}

function tooLittle({ model, samples }: StoredCalibration): TargonError {
  const tokens = samples.reduce((sum, sample) => sum + sample.observation.tokens, 0)
  return new TargonError(
    `Could not calibrate ${model}: ${samples.length} answers gave ${tokens} tokens, of which too few could be compared.`,
    {
      code: 'CALIBRATION_TOO_LITTLE',
      fault: 'upstream',
      next: 'Ask for more with --evidence.calibration-answers.',
    },
  )
}
