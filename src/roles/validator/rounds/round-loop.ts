import type { ReferenceEngine } from '../../../engine/index.js'
import { type Clock, type Log, withDeadline } from '../../../kernel/index.js'
import type { Random } from '../../../prompts/index.js'
import type { Serving, SubnetView } from '../subnet/index.js'
import type { RoundResult } from './result.js'
import { type Ask, type RoundPorts, type RunningRound, startRound } from './round.js'
import { type PlannedRound, planRound, type RoundPlan } from './round-plan.js'

/** Answers that may still stream after their round's soft deadline, or a whole round of them; the oldest beyond are cut (T-V4). */
const MAX_BACKGROUND = 36
const IDLE_MS = 5000
/** Rounds start at most this often, or miners that refuse at once would be asked without pause. */
const MIN_ROUND_MS = 1000
const PROMPT_TIMEOUT_MS = 30_000
/** So long without a round is no start and no hiccup any more. */
const ALARM_MS = 300_000

export interface RoundLoopOptions {
  readonly clock: Clock
  readonly log: Log
  readonly view: SubnetView
  readonly engines: () => readonly ReferenceEngine[]
  readonly random: Random
  readonly ports: RoundPorts
  readonly size: number
  readonly models: 'random' | 'in-turn'
  readonly pauseMs: number
  /** Newest block. */
  readonly block: () => number
  /** The first round waits until this has settled, well or not; it settles when the signal aborts, too. */
  readonly begin?: Promise<void>
  /** Why nobody can be judged fairly now; undefined when everybody can. */
  readonly whyNot: () => string | undefined
  /** A miner that was looked at, answered for its models, and does not list this one. */
  readonly onNotServing: (miner: Serving, plan: RoundPlan, round: number) => void
  /** Every answer of a round has its verdict; may come long after its soft deadline. */
  readonly onRoundJudged: (results: readonly RoundResult[]) => void
  /** A round has ended or passed its soft deadline, so many milliseconds after it began. */
  readonly onRoundEnd: (durationMs: number) => Promise<void>
  /** Nobody could be asked. */
  readonly onSkip: (reason: string) => Promise<void>
  /** `plannedMs` of the phase are meant to pass. */
  readonly onPhase: (phase: 'planning' | 'asking' | 'idle', plannedMs?: number) => void
}

export interface RoundLoop {
  readonly rounds: () => number
  readonly outstanding: () => number
  /** Resolves when the signal has aborted and every answer is accounted for. */
  readonly done: Promise<void>
}

/** Soft deadline of a round in milliseconds: then the next one starts and slow honest answers finish beside it. */
export function softDeadlineMs(maxTokens: number): number {
  return 5000 + (maxTokens / 20) * 1000
}

/** One round after the other until the signal aborts. A round that fails is logged and the next one starts. */
export function startRoundLoop(options: RoundLoopOptions, signal: AbortSignal): RoundLoop {
  const { clock, log } = options
  const asks = new Set<Ask>()
  let rounds = 0
  let lastSkip: string | undefined
  let lastRoundAt = clock.monotonic()
  let isAlarmed = false

  const follow = (round: RunningRound) => {
    round.done
      .then(() => options.onRoundJudged(round.results))
      .catch((error: unknown) =>
        log.error({ event: 'round-report-failed', err: error }, 'could not report a finished round'),
      )
    for (const ask of round.asks) {
      asks.add(ask)
      ask.done
        .catch((error: unknown) =>
          log.error({ event: 'result-lost', err: error }, 'lost the result of one answer'),
        )
        .finally(() => asks.delete(ask))
        .catch(() => {})
    }
  }

  const playRound = async (plan: RoundPlan) => {
    options.onPhase('asking')
    const beganAt = clock.monotonic()
    const soft = new AbortController()
    const judgeAt = new Promise<void>((resolve) => soft.signal.addEventListener('abort', () => resolve()))
    const number = rounds++
    for (const miner of plan.notServing) options.onNotServing(miner, plan, number)
    const round = await startRound(plan, number, options.block(), options.ports, judgeAt, signal)
    follow(round)
    options.onPhase('asking', softDeadlineMs(round.maxTokens))
    const timer = new AbortController()
    const limit = clock.sleep(softDeadlineMs(round.maxTokens), timer.signal).catch(() => {})
    await Promise.race([round.done, limit])
    timer.abort()
    soft.abort()
    cutOldest(asks, Math.max(MAX_BACKGROUND, options.size))
    await options.onRoundEnd(clock.monotonic() - beganAt)
  }

  const skipRound = async (reason: string) => {
    options.onPhase('idle')
    if (reason !== lastSkip) log.warn({ event: 'round-skipped', reason }, 'skipped a round')
    const idleMs = clock.monotonic() - lastRoundAt
    if (idleMs > ALARM_MS && !isAlarmed) {
      isAlarmed = true
      log.error(
        { event: 'rounds-stopped', reason, seconds: Math.round(idleMs / 1000) },
        'no round has run lately: no miner can be judged',
      )
    }
    const again = lastSkip !== undefined
    lastSkip = reason
    if (again) await clock.sleep(IDLE_MS, signal)
    await Promise.race([options.onSkip(reason), clock.sleep(IDLE_MS, signal)])
  }

  const loop = async () => {
    await options.begin?.catch(() => {})
    while (!signal.aborted) {
      const startedAt = clock.monotonic()
      try {
        options.onPhase('planning')
        const rules = { models: options.models, size: options.size, round: rounds, busy: busy(asks) }
        const whyNot = options.whyNot()
        const plan: PlannedRound =
          whyNot === undefined
            ? planRound(options.view, options.engines(), rules, options.random.fork(`plan/${rounds}`))
            : { kind: 'skip', reason: whyNot }
        if (plan.kind === 'skip') await skipRound(plan.reason)
        else {
          lastSkip = undefined
          await playRound(plan)
          lastRoundAt = clock.monotonic()
          isAlarmed = false
          options.onPhase('idle', options.pauseMs)
          const restMs = startedAt + MIN_ROUND_MS - clock.monotonic()
          await clock.sleep(Math.max(options.pauseMs, restMs, 0), signal)
        }
      } catch (error) {
        if (signal.aborted) break
        log.warn({ event: 'round-failed', err: error }, 'a round failed')
        await clock.sleep(IDLE_MS, signal).catch(() => {})
      }
    }
    await Promise.allSettled([...asks].map(({ done }) => done))
  }
  return { rounds: () => rounds, outstanding: () => asks.size, done: loop() }
}

/** A miner whose answer still streams is not asked again: its GPU would do double duty. */
function busy(asks: ReadonlySet<Ask>): ReadonlySet<string> {
  return new Set([...asks].map(({ hotkey }) => hotkey))
}

function cutOldest(asks: ReadonlySet<Ask>, keep: number): void {
  const streaming = [...asks].filter((ask) => ask.isStreaming())
  const oldestFirst = streaming.sort((a, b) => a.startedAt - b.startedAt)
  for (const ask of oldestFirst.slice(0, Math.max(0, oldestFirst.length - keep)))
    ask.cut(`cut after the round’s soft deadline: more than ${keep} answers were outstanding`)
}

/** Makes the requests of a round, with a deadline: rewriting a question may ask an engine. */
export function withPromptDeadline(clock: Clock, prompts: RoundPorts['prompts']): RoundPorts['prompts'] {
  return (plan, round, signal) =>
    withDeadline(clock, 'making the prompts of a round', PROMPT_TIMEOUT_MS, signal, (inner) =>
      prompts(plan, round, inner),
    )
}
