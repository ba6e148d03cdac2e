import type { Random } from '../../../prompts/index.js'
import type { Topic } from '../../role.js'
import type { ValidatorContext } from '../subnet/index.js'
import { OpenStreams } from './open-streams.js'
import {
  type RoundPorts,
  type RoundResult,
  type RunningRound,
  startRound,
  type UncheckedAnswer,
} from './round.js'
import { type PlannedRound, planRound, type RoundPlan, type SittingOut } from './round-plan.js'

/** Answers that may still stream after the soft deadline of their round, unless a round is larger; the slowest are cut (T-V4). */
const MAX_BACKGROUND = 36
const IDLE_MS = 5000
/** While no round is possible, it is looked this often whether one has become possible: an engine or a miner is ready. */
const LOOK_MS = 1000
/** Rounds start at most this often, so that miners that reject at once are not queried without pause. */
const MIN_ROUND_MS = 1000
/** A longer time without a round is neither startup nor a hiccup. */
const ALARM_MS = 300_000

/** A miner drawn for a round of a model it does not list. */
export interface NotServing extends Pick<RoundResult, 'round' | 'block' | 'miner'> {
  readonly model: string
  readonly endpoint: RoundPlan['endpoint']
}

/** A round that a miner sat out because its last answer for the model still streams. */
export interface SatOut extends SittingOut {
  readonly block: number
  /** Of that stream so far. Nothing has verified it yet. */
  readonly tokensPerSecond: number
}

/** What rounds report. */
export interface RoundEvents {
  readonly result: Topic<RoundResult>
  readonly notServing: Topic<NotServing>
  readonly satOut: Topic<SatOut>
  readonly unchecked: Topic<UncheckedAnswer>
  /** Every answer of a round has its verdict, possibly long after the soft deadline. */
  readonly roundJudged: Topic<readonly RoundResult[]>
  /** A round has finished or passed its soft deadline. */
  readonly roundEnded: Topic<{ readonly durationMs: number }>
}

/** What the rest of the validator does for the rounds. */
export interface RoundHooks {
  /** Runs after every round, before the next one. */
  readonly saveScores: () => Promise<void>
  /** Runs when no round was possible, to make the next one possible. */
  readonly recover: () => Promise<void>
  /** The loop entered a phase; `plannedMs` of it are expected to pass. */
  readonly enterPhase: (phase: 'planning' | 'querying' | 'idle', plannedMs?: number) => void
}

export interface RoundLoopParts {
  readonly ports: RoundPorts
  readonly random: Random
  readonly events: RoundEvents
  readonly hooks: RoundHooks
}

export type RoundContext = Pick<
  ValidatorContext,
  'clock' | 'log' | 'signal' | 'settings' | 'view' | 'engines' | 'explainEngine'
> & { readonly subtensor: Pick<ValidatorContext['subtensor'], 'clockOffsetMs'> }

/** Soft deadline of a round in milliseconds: the next one starts while slow honest answers finish. */
export function softDeadlineMs(maxTokens: number): number {
  return 5000 + (maxTokens / 20) * 1000
}

/** Runs one round after the other until the signal aborts. A round that fails is logged and the next one starts. */
export class RoundLoop {
  /** Resolves when the signal has aborted and every answer has its verdict. */
  readonly done: Promise<void>
  readonly #context: RoundContext
  readonly #parts: RoundLoopParts
  readonly #streams: OpenStreams
  #started = 0
  #lastSkip: string | undefined
  #lastRoundAt: number
  #isAlarmed = false

  constructor(context: RoundContext, parts: RoundLoopParts) {
    this.#context = context
    this.#parts = parts
    this.#streams = new OpenStreams(context.clock)
    this.#lastRoundAt = context.clock.monotonic()
    this.done = this.#run()
  }

  /** Rounds started so far. */
  get started(): number {
    return this.#started
  }

  /** Queries that have no verdict yet. */
  get outstanding(): number {
    return this.#streams.count
  }

  async #run(): Promise<void> {
    const { clock, log, signal } = this.#context
    while (!signal.aborted) {
      try {
        await this.#step()
      } catch (error) {
        if (signal.aborted) break
        log.warn({ event: 'round-failed', err: error }, 'a round failed')
        await clock.sleep(IDLE_MS, signal).catch(() => {})
      }
    }
    await this.#streams.settled()
  }

  async #step(): Promise<void> {
    const { clock, settings, signal } = this.#context
    const { enterPhase } = this.#parts.hooks
    const startedAt = clock.monotonic()
    enterPhase('planning')
    const plan = this.#plan()
    if (plan.kind === 'skip') return this.#skip(plan)
    this.#lastSkip = undefined
    await this.#play(plan)
    this.#lastRoundAt = clock.monotonic()
    this.#isAlarmed = false
    const pauseMs = settings['round.pause']
    enterPhase('idle', pauseMs)
    const restMs = startedAt + MIN_ROUND_MS - clock.monotonic()
    await clock.sleep(Math.max(pauseMs, restMs, 0), signal)
  }

  #plan(): PlannedRound {
    const { settings, subtensor, view, engines, explainEngine } = this.#context
    // Miners would reject our timestamps and be scored as failed.
    if (subtensor.clockOffsetMs !== 0)
      return { kind: 'skip', reason: "this machine's clock differs from the chain's" }
    const rules = {
      models: settings['round.models'],
      size: settings['round.size'],
      round: this.#started,
      explainEngine,
      // A miner whose answer still streams is not queried again: its GPU would do double duty.
      isBusy: (hotkey: string, model: string) => this.#streams.isBusy(hotkey, model),
    }
    return planRound(view, engines(), rules, this.#parts.random.fork(`plan/${this.#started}`))
  }

  async #play(plan: RoundPlan): Promise<void> {
    const { clock, settings, signal, view } = this.#context
    const { events, hooks, ports } = this.#parts
    hooks.enterPhase('querying')
    const beganAt = clock.monotonic()
    const soft = new AbortController()
    const judgeAt = new Promise<void>((resolve) => soft.signal.addEventListener('abort', () => resolve()))
    const number = this.#started++
    const { model, endpoint } = plan
    for (const miner of plan.notServing)
      events.notServing.publish({ miner, model, endpoint, round: number, block: view.block })
    const start = {
      ...{ round: number, block: view.block, judgeAt },
      onResult: events.result.publish,
      onUnchecked: events.unchecked.publish,
    }
    const round = await startRound(plan, start, ports, signal)
    this.#follow(round)
    this.#sitOut(plan.sittingOut)
    hooks.enterPhase('querying', softDeadlineMs(round.maxTokens))
    const timer = new AbortController()
    const limit = clock.sleep(softDeadlineMs(round.maxTokens), timer.signal).catch(() => {})
    await Promise.race([round.done, limit])
    timer.abort()
    soft.abort()
    this.#streams.stopWorthless()
    this.#streams.stopSlowest(Math.max(MAX_BACKGROUND, settings['round.size']))
    events.roundEnded.publish({ durationMs: clock.monotonic() - beganAt })
    await hooks.saveScores()
  }

  #follow(round: RunningRound): void {
    const { log } = this.#context
    round.done
      .then(() => this.#parts.events.roundJudged.publish(round.results))
      .catch((error: unknown) =>
        log.error({ event: 'round-report-failed', err: error }, 'could not report a finished round'),
      )
    for (const query of round.queries) {
      this.#streams.add(query)
      query.done.catch((error: unknown) =>
        log.error({ event: 'result-lost', err: error }, 'could not process an answer; its result is lost'),
      )
    }
  }

  /** A miner that keeps its stream open is not queried, but its window moves on like everybody's. */
  #sitOut(sittingOut: readonly SittingOut[]): void {
    const { block } = this.#context.view
    for (const { miner, model } of sittingOut) {
      const tokensPerSecond = this.#streams.sitOut(miner.hotkey, model)
      if (tokensPerSecond !== undefined)
        this.#parts.events.satOut.publish({ miner, model, block, tokensPerSecond })
    }
  }

  async #skip({ reason, sittingOut = [] }: Extract<PlannedRound, { kind: 'skip' }>): Promise<void> {
    const { clock, log, signal } = this.#context
    const { hooks } = this.#parts
    hooks.enterPhase('idle')
    if (reason !== this.#lastSkip) log.warn({ event: 'round-skipped', reason }, 'skipped a round')
    const idleMs = clock.monotonic() - this.#lastRoundAt
    if (idleMs > ALARM_MS && !this.#isAlarmed) {
      this.#isAlarmed = true
      log.error(
        { event: 'rounds-stopped', reason, seconds: Math.round(idleMs / 1000) },
        'no round has run for several minutes; miners are not being scored',
      )
    }
    const isRepeated = this.#lastSkip !== undefined
    this.#lastSkip = reason
    if (isRepeated) {
      if (await this.#pauseUntilPossible()) return
      // Without this pause between them these would not be rounds.
      this.#sitOut(sittingOut)
      this.#streams.stopWorthless()
    }
    await Promise.race([hooks.recover(), clock.sleep(IDLE_MS, signal)])
  }

  /** Pauses before a round is planned again. @returns whether the pause ended early, because a round has become possible */
  async #pauseUntilPossible(): Promise<boolean> {
    const { clock, signal } = this.#context
    for (let pausedMs = 0; pausedMs < IDLE_MS; pausedMs += LOOK_MS) {
      await clock.sleep(LOOK_MS, signal)
      if (pausedMs + LOOK_MS < IDLE_MS && this.#plan().kind === 'round') return true
    }
    return false
  }
}
