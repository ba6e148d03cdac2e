import pino from 'pino'
import { expect, test } from 'vitest'
import type { ReferenceEngine } from '../../../../src/engine/index.js'
import type { Answer } from '../../../../src/inference/index.js'
import { createRandom } from '../../../../src/prompts/index.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/round.js'
import {
  type RoundContext,
  type RoundHooks,
  RoundLoop,
  softDeadlineMs,
} from '../../../../src/roles/validator/rounds/round-loop.js'
import type { ServingMiner } from '../../../../src/roles/validator/subnet/subnet-view.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { createRigContext, createRigEngine, defaultSettings } from '../validator-rig.js'
import { answerOf, completionRequest, createRoundEvents, servingMiners, viewOf } from './round-parts.js'

const MAX_TOKENS = 500
const SOFT_MS = softDeadlineMs(MAX_TOKENS)

interface Change extends Partial<Pick<RoundContext, 'log' | 'engines' | 'subtensor'>> {
  readonly size?: number
  readonly hooks?: Partial<RoundHooks>
}

/** Miners answer after the time given for them; with `Infinity` only when the stream is aborted. */
function setup(count: number, answerMs: (miner: ServingMiner) => number, change: Change = {}) {
  const { size = 37, hooks, ...context } = change
  const clock = new ManualClock()
  const stop = new AbortController()
  const starts: { readonly atMs: number; readonly queried: number }[] = []
  const results: RoundResult[] = []
  const phases: string[] = []
  const durations: number[] = []
  const send = async (miner: ServingMiner, signal: AbortSignal): Promise<Answer> => {
    const aborted = answerOf({ fault: { cause: 'aborted', detail: 'cut' } })
    const ms = answerMs(miner)
    if (!Number.isFinite(ms))
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(aborted)))
    return clock.sleep(ms, signal).then(
      () => answerOf(),
      () => aborted,
    )
  }
  const events = createRoundEvents()
  events.result.subscribe((result) => results.push(result))
  events.roundEnded.subscribe(({ durationMs }) => durations.push(durationMs))
  const loop = new RoundLoop(
    {
      ...createRigContext({ clock, signal: stop.signal, view: viewOf(servingMiners(count)) }),
      settings: defaultSettings({ 'round.size': size, 'round.models': 'random', 'round.pause': 0 }),
      subtensor: { clockOffsetMs: 0 },
      ...context,
    },
    {
      events,
      random: createRandom('loop'),
      ports: {
        clock,
        prompts: async (plan) => {
          starts.push({ atMs: clock.monotonic(), queried: plan.miners.length })
          return () => completionRequest(MAX_TOKENS)
        },
        prepare: (_, miner) => (signal) => send(miner, signal),
        verify: async () => ({ kind: 'verified' }),
        stallSince: () => 0,
        stallLimitMs: 50,
      },
      hooks: {
        saveScores: async () => {},
        recover: async () => {},
        enterPhase: (phase) => phases.push(phase),
        ...hooks,
      },
    },
  )
  const end = async () => {
    stop.abort()
    await loop.done
  }
  return { clock, loop, events, starts, results, phases, durations, end }
}

test('starts the next round after the last answer, at least a second after the previous one', async () => {
  const { clock, starts, durations, phases, end } = setup(3, ({ uid }) => uid * 2000)
  await clock.advance(6000)
  await clock.advance(6000)
  expect(starts.map(({ atMs }) => atMs)).toEqual([0, 6000, 12_000])
  expect(durations).toEqual([6000, 6000])
  expect(phases.slice(0, 4)).toEqual(['planning', 'querying', 'querying', 'idle'])
  await end()
  const quick = setup(3, () => 0)
  await quick.clock.advance(3500)
  expect(quick.starts.map(({ atMs }) => atMs)).toEqual([0, 1000, 2000, 3000])
  await quick.end()
})

test('slow streams delay the next round until the soft deadline at most, continue and still count', async () => {
  const { clock, starts, results, end } = setup(10, ({ uid }) => (uid <= 4 ? SOFT_MS + 10_000 : 1000))
  await clock.advance(SOFT_MS)
  expect(starts).toEqual([
    { atMs: 0, queried: 10 },
    { atMs: SOFT_MS, queried: 6 },
  ])
  const slow = () => results.filter(({ miner, round }) => miner.uid <= 4 && round === 0)
  expect(slow()).toEqual([])
  await clock.advance(10_000)
  expect(slow().map(({ verdict }) => verdict.kind)).toEqual(new Array(4).fill('verified'))
  await end()
})

test('never cuts a complete answer that waits for its verdict', async () => {
  const { clock, results, end } = setup(37, ({ uid }) => (uid === 37 ? SOFT_MS + 10_000 : 1000))
  await settle()
  await settle()
  await clock.advance(SOFT_MS + 20_000)
  expect(results.filter(({ verdict }) => verdict.kind !== 'verified')).toEqual([])
  expect(results.filter(({ round }) => round === 0)).toHaveLength(37)
  await end()
})

test('cuts none of the slow streams of a round of 256', async () => {
  const { clock, results, end } = setup(256, () => SOFT_MS + 10_000, { size: 256 })
  for (let turn = 0; turn < 10; turn++) await settle()
  await clock.advance(SOFT_MS + 15_000)
  expect(results.filter(({ verdict }) => verdict.kind === 'verified').length).toBe(256)
  await end()
})

test('cuts the oldest background streams beyond one round as failures of their miners', async () => {
  const { clock, loop, results, end } = setup(100, () => Number.POSITIVE_INFINITY)
  // Signing pauses for other work after every eight miners.
  const signing = () => clock.advance(0).then(settle)
  await signing()
  await clock.advance(SOFT_MS)
  await signing()
  expect(loop.outstanding).toBe(2 * 37)
  await clock.advance(SOFT_MS)
  expect(loop.outstanding).toBeLessThanOrEqual(2 * 37)
  const cut = results.filter(({ verdict }) => verdict.kind === 'failed')
  expect(cut.length).toBeGreaterThanOrEqual(37)
  expect(cut.every(({ verdict }) => verdict.kind === 'failed' && verdict.cause === 'TIMEOUT')).toBe(true)
  await end()
  const rest = results.slice(cut.length)
  expect(rest.every(({ verdict }) => verdict.kind === 'inconclusive')).toBe(true)
  expect(loop.outstanding).toBe(0)
})

test('skips a round without an engine with the reason and retries every five seconds', async () => {
  let recoveries = 0
  const lines: { readonly event: string }[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) })
  const engine = createRigEngine()
  let engines: ReferenceEngine[] = [{ ...engine, facts: undefined }]
  const { clock, starts, phases, end } = setup(3, () => 1000, {
    log,
    engines: () => engines,
    hooks: { recover: async () => void recoveries++ },
  })
  // An hour without an engine: the phases keep changing, so the watchdog does not take it for a hang.
  await clock.advance(3_600_000)
  expect(starts).toEqual([])
  expect(recoveries).toBeGreaterThan(700)
  expect(phases.filter((phase) => phase === 'idle').length).toBeGreaterThan(700)
  expect(lines.map(({ event }) => event)).toEqual(['round-skipped', 'rounds-stopped'])
  engines = [engine]
  await clock.advance(5000)
  expect(starts.length).toBeGreaterThan(0)
  await end()
})

test('starts a round within a second after an engine is ready', async () => {
  const engine = createRigEngine()
  let engines: ReferenceEngine[] = [{ ...engine, facts: undefined }]
  const { clock, starts, end } = setup(3, () => 1000, { engines: () => engines })
  await clock.advance(1500)
  engines = [engine]
  await clock.advance(1000)
  expect(starts).toHaveLength(1)
  await end()
})

test('queries no miner while our clock is wrong, and continues once it is right', async () => {
  const reasons: unknown[] = []
  const log = pino({ level: 'warn' }, { write: (line) => void reasons.push(JSON.parse(line).reason) })
  const subtensor = { clockOffsetMs: 20_000 }
  const { clock, starts, end } = setup(3, () => 1000, { log, subtensor })
  await clock.advance(60_000)
  expect(starts).toEqual([])
  expect(new Set(reasons)).toEqual(new Set(["this machine's clock differs from the chain's"]))
  subtensor.clockOffsetMs = 0
  await clock.advance(5000)
  expect(starts.length).toBeGreaterThan(0)
  await end()
})

test('starts another round after one that fails', async () => {
  let broken = true
  const { clock, results, end } = setup(2, () => 100, {
    hooks: {
      saveScores: async () => {
        if (!broken) return
        broken = false
        throw new Error('disk on fire')
      },
    },
  })
  await clock.advance(7000)
  expect(new Set(results.map(({ round }) => round)).size).toBeGreaterThan(1)
  await end()
})

test('an error while reporting a round ends neither the process nor the rounds', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  const { clock, events, results, end } = setup(2, () => 100)
  events.roundJudged.subscribe(() => {
    throw new Error('cannot report it')
  })
  await clock.advance(5000)
  await end()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
  expect(new Set(results.map(({ round }) => round)).size).toBeGreaterThan(1)
})
