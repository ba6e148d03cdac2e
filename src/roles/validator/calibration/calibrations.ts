import { isDeepStrictEqual } from 'node:util'
import type { EngineServerView, ReferenceEngine } from '../../../engine/index.js'
import type { Noise } from '../../../evidence/index.js'
import { messageOf, putNewest } from '../../../kernel/index.js'
import type { ValidatorContext } from '../subnet/index.js'
import { openCalibrationFile, type StoredCalibration } from './calibration-file.js'
import { type CalibrationState, describeCalibration } from './calibration-state.js'
import { describeServers, runCalibration } from './run.js'

/** The calibrations of a running validator. */
export interface Calibrations {
  /** What a valid calibration shows of a model's engines; undefined without one. */
  noiseOf(model: string): Noise | undefined
  states(): readonly CalibrationState[]
  /** Resolves when no calibration runs any more; the signal has aborted. */
  readonly done: Promise<void>
}

type CalibrationsContext = Pick<
  ValidatorContext,
  'clock' | 'log' | 'signal' | 'settings' | 'stateDir' | 'engines' | 'view'
>

/** First look at the engines after the start, and pause between looks: a file written by the command counts within it. */
const FIRST_LOOK_MS = 30_000
const LOOK_MS = 60_000
/** Pause after a calibration that failed. */
const RETRY_MS = 3_600_000
const IDLE_POLL_MS = 500
/** Models remembered at most. Some are no longer wanted, but late answers to them may still come. */
const MAX_MODELS = 128
/** Pause before each answer in the background. */
const PAUSE_MS = 1_000

interface Known {
  readonly stored: StoredCalibration | undefined
  /** The engine differs from the one that was measured. */
  readonly isStale: boolean
}

/**
 * Loads the calibrations of the wanted models and, unless a setting forbids it, measures engines that have none: one answer
 * at a time, and only while no call of a round is at the engine.
 *
 * @throws TargonError CALIBRATION_FILE (fault usage)
 */
export async function openCalibrations(context: CalibrationsContext): Promise<Calibrations> {
  const service = new Service(context)
  await service.load(context.view.wanted)
  return { noiseOf: service.noiseOf, states: service.states, done: service.watch() }
}

class Service {
  readonly #context: CalibrationsContext
  readonly #known = new Map<string, Known>()
  readonly #failedAt = new Map<string, number>()
  #running: string | undefined

  constructor(context: CalibrationsContext) {
    this.#context = context
  }

  readonly noiseOf = (model: string) => {
    const known = this.#known.get(model)
    return known && !known.isStale ? known.stored?.result?.noise : undefined
  }

  readonly states = () =>
    this.#context.view.wanted.map((model) => {
      const { stored, isStale } = this.#known.get(model) ?? { stored: undefined, isStale: false }
      const isMissing = stored === undefined
      const state = isMissing
        ? this.#running === model
          ? 'running'
          : 'none'
        : isStale
          ? 'stale'
          : 'calibrated'
      return describeCalibration(model, state, stored)
    })

  async load(models: readonly string[]): Promise<void> {
    for (const model of models) {
      const stored = await openCalibrationFile(this.#context.stateDir, model).complete()
      const before = this.#known.get(model)
      // Until its engine has told what it is, a calibration counts: otherwise every restart would change the levels.
      const isSame = stored?.updatedAt === before?.stored?.updatedAt
      putNewest(
        this.#known,
        model,
        { stored, isStale: isSame ? (before?.isStale ?? false) : false },
        MAX_MODELS,
      )
    }
  }

  async watch(): Promise<void> {
    const { clock, signal, log } = this.#context
    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = LOOK_MS) {
      await clock.sleep(pauseMs, signal).catch(() => {})
      if (signal.aborted) return
      try {
        await this.#look()
      } catch (error) {
        if (signal.aborted) return
        log.warn(
          { event: 'calibration-unread', err: error },
          'could not look after the calibrations; retrying',
        )
      }
    }
  }

  async #look(): Promise<void> {
    const { engines, settings, view, signal } = this.#context
    await this.load(view.wanted)
    for (const engine of engines()) {
      const servers = engine.facts ? (engine.servers?.() ?? []) : []
      if (servers.length === 0 || !view.wanted.includes(engine.model)) continue
      const current = await describeServers(servers, signal)
      this.#compare(engine.model, current)
      const isWanted = settings['evidence.calibrate'] && settings['evidence.mode'] !== 'off'
      if (isWanted && !this.noiseOf(engine.model)) await this.#measure(engine, servers)
    }
  }

  #compare(model: string, current: readonly Record<string, string>[]): void {
    const { stored, isStale: wasStale } = this.#known.get(model) ?? { stored: undefined, isStale: false }
    if (!stored) return
    const isStale = !current.every((one) =>
      stored.engines.some((measured) => isDeepStrictEqual(measured, one)),
    )
    putNewest(this.#known, model, { stored, isStale }, MAX_MODELS)
    if (isStale && !wasStale)
      this.#context.log.warn(
        { event: 'calibration-stale', model, measured: stored.engines, current },
        'the engine has another version or other options than when it was calibrated: evidence changes no score until it is calibrated again',
      )
  }

  async #measure({ model }: ReferenceEngine, servers: readonly EngineServerView[]): Promise<void> {
    const { clock, log, settings, signal, stateDir } = this.#context
    const failedAt = this.#failedAt.get(model)
    if (failedAt !== undefined && clock.monotonic() - failedAt < RETRY_MS) return
    this.#running = model
    log.info(
      { event: 'calibration-started', model },
      'measuring the noise of the reference engine in the background',
    )
    try {
      const answers = settings['evidence.calibration-answers']
      const file = openCalibrationFile(stateDir, model)
      const ready = () => this.#waitIdle(servers)
      const run = { model, servers, file, answers, parallel: 1, clock, log, signal, ready }
      const stored = await runCalibration(run)
      putNewest(this.#known, model, { stored, isStale: false }, MAX_MODELS)
      log.info(
        { event: 'calibration-done', model, ...stored.result },
        'measured the noise of the reference engine',
      )
    } catch (error) {
      signal.throwIfAborted()
      for (const [other, at] of this.#failedAt)
        if (clock.monotonic() - at >= RETRY_MS) this.#failedAt.delete(other)
      this.#failedAt.set(model, clock.monotonic())
      log.warn(
        { event: 'calibration-failed', model, err: error },
        `could not measure the noise of the reference engine: ${messageOf(error)}`,
      )
    } finally {
      this.#running = undefined
    }
  }

  /** Rounds come first: waits until no call of this validator is at the engine. */
  async #waitIdle(servers: readonly EngineServerView[]): Promise<void> {
    const { clock, signal } = this.#context
    await clock.sleep(PAUSE_MS, signal)
    while (servers.some(({ isBusy }) => isBusy)) await clock.sleep(IDLE_POLL_MS, signal)
  }
}
