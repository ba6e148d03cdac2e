import pino from 'pino'
import { expect, test } from 'vitest'
import type { ReferenceEngine } from '../../../../src/engine/index.js'
import type { Answer } from '../../../../src/inference/index.js'
import { createRandom } from '../../../../src/prompts/index.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/result.js'
import {
  type RoundLoopOptions,
  softDeadlineMs,
  startRoundLoop,
} from '../../../../src/roles/validator/rounds/round-loop.js'
import type { Serving } from '../../../../src/roles/validator/subnet/candidates.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { createRigEngine } from '../validator-rig.js'
import { answerOf, completionRequest, servingMiners, viewOf } from './round-parts.js'

const MAX_TOKENS = 500
const SOFT_MS = softDeadlineMs(MAX_TOKENS)

/** Miners answer after the time given for them; `Infinity` only ends when the stream is aborted. */
function setup(count: number, answerMs: (miner: Serving) => number, change: Partial<RoundLoopOptions> = {}) {
  const clock = new ManualClock()
  const stop = new AbortController()
  const starts: { readonly atMs: number; readonly asked: number }[] = []
  const results: RoundResult[] = []
  const phases: string[] = []
  const durations: number[] = []
  const send = async (miner: Serving, signal: AbortSignal): Promise<Answer> => {
    const aborted = answerOf({ fault: { cause: 'aborted', detail: 'cut' } })
    const ms = answerMs(miner)
    if (!Number.isFinite(ms))
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(aborted)))
    return clock.sleep(ms, signal).then(
      () => answerOf(),
      () => aborted,
    )
  }
  const loop = startRoundLoop(
    {
      clock,
      log: pino({ level: 'silent' }),
      view: viewOf(servingMiners(count)),
      engines: () => [createRigEngine()],
      random: createRandom('loop'),
      ports: {
        clock,
        prompts: async (plan) => {
          starts.push({ atMs: clock.monotonic(), asked: plan.miners.length })
          return () => completionRequest(MAX_TOKENS)
        },
        prepare: (_, miner) => (signal) => send(miner, signal),
        verify: async () => ({ kind: 'verified' }),
        stallSince: () => 0,
        stallLimitMs: 50,
        onResult: (result) => results.push(result),
      },
      size: 37,
      models: 'random',
      pauseMs: 0,
      block: () => 100,
      whyNot: () => undefined,
      onNotServing: () => {},
      onRoundJudged: () => {},
      onRoundEnd: async (ms) => void durations.push(ms),
      onSkip: async () => {},
      onPhase: (phase) => phases.push(phase),
      ...change,
    },
    stop.signal,
  )
  const end = async () => {
    stop.abort()
    await loop.done
  }
  return { clock, loop, starts, results, phases, durations, end }
}

test('the next round starts when the last answer is in, and never sooner than a second after the one before', async () => {
  const { clock, starts, durations, phases, end } = setup(3, ({ uid }) => uid * 2000)
  await clock.advance(6000)
  await clock.advance(6000)
  expect(starts.map(({ atMs }) => atMs)).toEqual([0, 6000, 12_000])
  expect(durations).toEqual([6000, 6000])
  expect(phases.slice(0, 4)).toEqual(['planning', 'asking', 'asking', 'idle'])
  await end()
  const quick = setup(3, () => 0)
  await quick.clock.advance(3500)
  expect(quick.starts.map(({ atMs }) => atMs)).toEqual([0, 1000, 2000, 3000])
  await quick.end()
})

test('slow streams hold the next round no longer than the soft deadline, are left in peace and still count', async () => {
  const { clock, starts, results, end } = setup(10, ({ uid }) => (uid <= 4 ? SOFT_MS + 10_000 : 1000))
  await clock.advance(SOFT_MS)
  expect(starts).toEqual([
    { atMs: 0, asked: 10 },
    { atMs: SOFT_MS, asked: 6 },
  ])
  const slow = () => results.filter(({ miner, round }) => miner.uid <= 4 && round === 0)
  expect(slow()).toEqual([])
  await clock.advance(10_000)
  expect(slow().map(({ verdict }) => verdict.kind)).toEqual(new Array(4).fill('verified'))
  await end()
})

test('an answer that is in and waits for its verdict is never cut, however many wait', async () => {
  const { clock, results, end } = setup(37, ({ uid }) => (uid === 37 ? SOFT_MS + 10_000 : 1000))
  await settle()
  await settle()
  await clock.advance(SOFT_MS + 20_000)
  expect(results.filter(({ verdict }) => verdict.kind !== 'verified')).toEqual([])
  expect(results.filter(({ round }) => round === 0)).toHaveLength(37)
  await end()
})

test('slow streams of a round of 256 are all left in peace', async () => {
  const { clock, results, end } = setup(256, () => SOFT_MS + 10_000, { size: 256 })
  for (let turn = 0; turn < 10; turn++) await settle()
  await clock.advance(SOFT_MS + 15_000)
  expect(results.filter(({ verdict }) => verdict.kind === 'verified').length).toBe(256)
  await end()
})

test('beyond a round of streams in the background the oldest are cut, as their miner’s fault', async () => {
  const { clock, loop, results, end } = setup(100, () => Number.POSITIVE_INFINITY)
  // Signing pauses for other work after every eight miners.
  const signing = () => clock.advance(0).then(settle)
  await signing()
  await clock.advance(SOFT_MS)
  await signing()
  expect(loop.outstanding()).toBe(2 * 37)
  await clock.advance(SOFT_MS)
  expect(loop.outstanding()).toBeLessThanOrEqual(2 * 37)
  const cut = results.filter(({ verdict }) => verdict.kind === 'failed')
  expect(cut.length).toBeGreaterThanOrEqual(37)
  expect(cut.every(({ verdict }) => verdict.kind === 'failed' && verdict.cause === 'TIMEOUT')).toBe(true)
  await end()
  const rest = results.slice(cut.length)
  expect(rest.every(({ verdict }) => verdict.kind === 'inconclusive')).toBe(true)
  expect(loop.outstanding()).toBe(0)
})

test('a round nobody can check is skipped with its reason and asked for again every five seconds', async () => {
  const reasons: string[] = []
  const alarms: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => void alarms.push(line) })
  const engine = createRigEngine()
  let engines: ReferenceEngine[] = [{ ...engine, facts: undefined }]
  const { clock, starts, phases, end } = setup(3, () => 1000, {
    log,
    engines: () => engines,
    onSkip: async (reason) => void reasons.push(reason),
  })
  // An hour without an engine: the phases move on all the time, so no watchdog takes it for a hang.
  await clock.advance(3_600_000)
  expect(starts).toEqual([])
  expect(reasons.length).toBeGreaterThan(700)
  expect(phases.filter((phase) => phase === 'idle').length).toBeGreaterThan(700)
  expect(alarms).toHaveLength(1)
  expect(alarms[0]).toContain('nobody can be judged')
  engines = [engine]
  await clock.advance(5000)
  expect(starts.length).toBeGreaterThan(0)
  await end()
})

test('nobody is asked while nobody would take the signatures, and somebody as soon as they would', async () => {
  const reasons: string[] = []
  let trouble: string | undefined = 'clocks differ'
  const { clock, starts, end } = setup(3, () => 1000, {
    whyNot: () => trouble,
    onSkip: async (reason) => void reasons.push(reason),
  })
  await clock.advance(60_000)
  expect(starts).toEqual([])
  expect(new Set(reasons)).toEqual(new Set(['clocks differ']))
  trouble = undefined
  await clock.advance(5000)
  expect(starts.length).toBeGreaterThan(0)
  await end()
})

test('a round that fails is followed by another', async () => {
  let broken = true
  const { clock, results, end } = setup(2, () => 100, {
    onRoundEnd: async () => {
      if (!broken) return
      broken = false
      throw new Error('disk on fire')
    },
  })
  await clock.advance(7000)
  expect(new Set(results.map(({ round }) => round)).size).toBeGreaterThan(1)
  await end()
})

test('a report of a round that throws ends neither the process nor the rounds', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  const { clock, results, end } = setup(2, () => 100, {
    onRoundJudged: () => {
      throw new Error('no report of that')
    },
  })
  await clock.advance(5000)
  await end()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
  expect(new Set(results.map(({ round }) => round)).size).toBeGreaterThan(1)
})
