import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { EngineServerView, ReferenceEngine } from '../../../../src/engine/index.js'
import { openCalibrationFile } from '../../../../src/roles/validator/calibration/calibration-file.js'
import { type Calibrations, openCalibrations } from '../../../../src/roles/validator/calibration/index.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { calibrationOf } from './stored-calibration.js'

const MODEL = 'org/model'
let folder: string
let stop: AbortController
let opened: Calibrations | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calibrations-'))
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await opened?.done
  await rm(folder, { recursive: true, force: true })
})

async function open(changes: { calibrate?: boolean; busy?: () => boolean } = {}) {
  const clock = new ManualClock()
  const state = { version: '0.32.0', asked: 0 }
  const events: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line).event) })
  const server = {
    model: MODEL,
    url: 'http://engine',
    facts: { endpoints: ['completion'], maxModelLength: 4096 },
    get isBusy() {
      return changes.busy?.() ?? false
    },
    describe: async () => ({ version: state.version }),
    ask: async () => {
      state.asked++
      return { fault: { cause: 'BAD_STREAM', detail: 'no answer' } }
    },
  } as unknown as EngineServerView
  const engine = { model: MODEL, facts: server.facts, servers: () => [server] } as unknown as ReferenceEngine
  const settings = { 'evidence.calibrate': changes.calibrate ?? false, 'evidence.calibration-answers': 12 }
  const context = { clock, log, signal: stop.signal, settings, stateDir: folder, engines: () => [engine] }
  const view = { wanted: [MODEL] }
  const calibrations = await openCalibrations({ ...context, view } as never)
  opened = calibrations
  return { clock, state, events, calibrations, view }
}

it('uses the calibration of the engine, also before the engine has told what it is', async () => {
  await openCalibrationFile(folder, MODEL).save(calibrationOf(MODEL))
  const { calibrations } = await open()
  expect(calibrations.noiseOf(MODEL)).toMatchObject({ residual: 0.02 })
  expect(calibrations.noiseOf('org/other')).toBeUndefined()
  expect(calibrations.states()).toMatchObject([{ model: MODEL, state: 'calibrated', answers: 36 }])
})

it('stops using it when the engine has another version, and says so once', async () => {
  await openCalibrationFile(folder, MODEL).save(calibrationOf(MODEL))
  const { calibrations, clock, state, events } = await open()
  await clock.advance(31_000)
  await expect.poll(() => calibrations.states()[0]?.state).toBe('calibrated')
  state.version = '0.33.0'
  await clock.advance(61_000)
  await expect.poll(() => calibrations.states()[0]?.state).toBe('stale')
  expect(calibrations.noiseOf(MODEL)).toBeUndefined()
  await clock.advance(61_000)
  expect(events.filter((event) => event === 'calibration-stale')).toHaveLength(1)
  // The command has measured the new version meanwhile.
  await openCalibrationFile(folder, MODEL).save({ ...calibrationOf(MODEL, '0.33.0', 0.03), updatedAt: 9 })
  await expect
    .poll(async () => {
      await clock.advance(61_000)
      return calibrations.noiseOf(MODEL)?.residual
    })
    .toBe(0.03)
})

it('measures an engine without a calibration while no call is at the engine, and not again for an hour', async () => {
  let isBusy = true
  const { clock, state, events } = await open({ calibrate: true, busy: () => isBusy })
  await clock.advance(31_000)
  await expect.poll(() => events.includes('calibration-started')).toBe(true)
  await clock.advance(5_000)
  expect(state.asked).toBe(0)
  isBusy = false
  await expect
    .poll(async () => {
      await clock.advance(2_000)
      return events.includes('calibration-failed')
    })
    .toBe(true)
  expect(state.asked).toBe(5)
  await clock.advance(600_000)
  expect(state.asked).toBe(5)
})

it('measures nothing when the setting forbids it', async () => {
  const { clock, state, calibrations } = await open()
  await clock.advance(120_000)
  expect(state.asked).toBe(0)
  expect(calibrations.states()).toEqual([{ model: MODEL, state: 'none' }])
})

it('forgets models that have not been wanted for long, and reads them again when they are', async () => {
  await openCalibrationFile(folder, MODEL).save(calibrationOf(MODEL))
  const { calibrations, clock, view } = await open()
  const wanting = async (models: string[], isKnown: boolean) => {
    view.wanted = models
    const isRead = async () => {
      await clock.advance(61_000)
      return calibrations.noiseOf(MODEL) !== undefined
    }
    await expect.poll(isRead).toBe(isKnown)
  }
  await wanting(['org/next'], true)
  await wanting(
    Array.from({ length: 128 }, (_, index) => `org/m${index}`),
    false,
  )
  await wanting([MODEL], true)
})
