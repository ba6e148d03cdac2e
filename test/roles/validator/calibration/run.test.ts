import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConnectedEngine, connectEngine, type EngineServerView } from '../../../../src/engine/index.js'
import { systemClock } from '../../../../src/kernel/index.js'
import { type DevelopmentEngine, startDevelopmentEngine } from '../../../../src/localnet/engine/index.js'
import { openCalibrationFile } from '../../../../src/roles/validator/calibration/calibration-file.js'
import {
  describeCalibration,
  writeCalibration,
} from '../../../../src/roles/validator/calibration/calibration-state.js'
import { type CalibrationRun, runCalibration } from '../../../../src/roles/validator/calibration/run.js'
import { calibrationOf } from './stored-calibration.js'

const MODEL = 'targon-dev/small-a'
const log = pino({ enabled: false })
const running: DevelopmentEngine[] = []
const connected: ConnectedEngine[] = []
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calibration-'))
})
afterEach(async () => {
  await Promise.all(connected.splice(0).map((one) => one.close()))
  await Promise.all(running.splice(0).map((one) => one.close()))
  await rm(folder, { recursive: true, force: true })
})

async function startServer(): Promise<EngineServerView> {
  const engine = await startDevelopmentEngine({ port: 0, models: [MODEL] }, { clock: systemClock })
  running.push(engine)
  const cacheDir = join(folder, `engine-${connected.length}`)
  const options = { model: MODEL, urls: [engine.url], hubUrl: engine.url, cacheDir, clock: systemClock, log }
  const connection = connectEngine(options)
  connected.push(connection)
  await connection.whenReady(new AbortController().signal)
  const [server] = connection.servers?.() ?? []
  if (!server) throw new Error('no server')
  return server
}

function runOf(servers: readonly EngineServerView[], changes: Partial<CalibrationRun> = {}): CalibrationRun {
  return {
    ...{ model: MODEL, servers, file: openCalibrationFile(folder, MODEL), answers: 36, parallel: 4 },
    ...{ clock: systemClock, log, signal: new AbortController().signal },
    ...changes,
  }
}

/** Runs until this many answers are done, and what was kept of them. */
async function runUntil(server: EngineServerView, count: number) {
  const stop = new AbortController()
  const seen: number[] = []
  const onProgress = (done: number) => {
    seen.push(done)
    if (done === count) stop.abort(new DOMException('stopped', 'AbortError'))
  }
  const stopped = runCalibration(runOf([server], { signal: stop.signal, parallel: 1, onProgress }))
  await expect(stopped).rejects.toThrow('stopped')
  return { seen, kept: await openCalibrationFile(folder, MODEL).unfinished() }
}

describe('runCalibration', () => {
  it('measures two servers against themselves and each other, greedy and sampled, chat and completion', async () => {
    const servers = [await startServer(), await startServer()]
    const stored = await runCalibration(runOf(servers, { answers: 18 }))
    const { samples, result } = stored
    expect(result).toMatchObject({ answers: 36, mismatches: 0 })
    expect(result?.noise.residual).toBeLessThan(1e-6)
    expect(samples.filter(({ scoredBy }) => scoredBy === 'another')).toHaveLength(18)
    expect(new Set(samples.map(({ endpoint }) => endpoint))).toEqual(new Set(['chat', 'completion']))
    expect(samples.filter(({ temperature }) => temperature === 0)).toHaveLength(12)
    expect(samples.filter(({ verdict }) => verdict !== 'verified')).toEqual([])
    const file = openCalibrationFile(folder, MODEL)
    expect(await file.complete()).toEqual(stored)
    expect(await file.unfinished()).toBeUndefined()
    expect((await stat(file.path)).mode & 0o777).toBe(0o600)
    const shown = writeCalibration(describeCalibration(MODEL, 'calibrated', stored))
    expect(shown).toContain('is calibrated: 36 answers')
  }, 240_000)

  it('keeps what is done when it is stopped, and continues there', async () => {
    const server = await startServer()
    const { kept, seen } = await runUntil(server, 10)
    expect(seen).toHaveLength(11)
    expect(await openCalibrationFile(folder, MODEL).complete()).toBeUndefined()
    expect(kept?.samples).toHaveLength(10)
    const again = await runUntil(server, 12)
    expect(again.seen).toEqual([10, 11, 12])
    expect(again.kept?.samples.slice(0, 10)).toEqual(kept?.samples)
    expect(again.kept?.startedAt).toBe(kept?.startedAt)
  }, 240_000)

  it('starts again when the engine is another one', async () => {
    const server = await startServer()
    await runUntil(server, 3)
    const newer = { ...server, describe: async () => ({ version: '99' }) }
    Object.defineProperty(newer, 'facts', { get: () => server.facts })
    const { kept, seen } = await runUntil(newer, 1)
    expect(seen).toEqual([0, 1])
    expect(kept?.engines).toEqual([{ version: '99' }])
  }, 240_000)

  it('refuses a result from too few tokens, and an engine that gives none', async () => {
    const server = await startServer()
    await expect(runCalibration(runOf([server], { answers: 2 }))).rejects.toMatchObject({
      code: 'CALIBRATION_TOO_LITTLE',
      next: 'Ask for more with --evidence.calibration-answers.',
    })
    await running[0]?.close()
    const silent = { ...server, describe: async () => ({ version: '1' }) }
    Object.defineProperty(silent, 'facts', { get: () => server.facts })
    await expect(runCalibration(runOf([silent]))).rejects.toMatchObject({ code: 'CALIBRATION_FAILED' })
  }, 240_000)

  it('lets one process measure a model', async () => {
    const server = await startServer()
    const stop = new AbortController()
    const first = runCalibration(
      runOf([server], { signal: stop.signal, ready: (signal) => systemClock.sleep(60_000, signal) }),
    )
    const instant = { ...systemClock, sleep: async () => {} }
    let now = 0
    const hasty = { ...instant, monotonic: () => (now += 5_000) }
    await expect(runCalibration(runOf([server], { clock: hasty }))).rejects.toMatchObject({
      code: 'CALIBRATION_RUNNING',
    })
    stop.abort()
    await expect(first).rejects.toThrow()
  }, 240_000)
})

describe('the calibration file', () => {
  it('ignores a changed byte and uses the generation before', async () => {
    const file = openCalibrationFile(folder, MODEL)
    const stored = calibrationOf(MODEL)
    await file.save(stored)
    await file.save({ ...stored, updatedAt: stored.updatedAt + 1 })
    const text = await readFile(file.path, 'utf8')
    await writeFile(file.path, text.replace('"answers":36', '"answers":37'))
    expect(await file.complete()).toEqual(stored)
    expect((await readdir(join(folder, 'calibrations'))).some((name) => name.endsWith('.damaged'))).toBe(true)
  }, 240_000)

  it('gives two models two files', () => {
    expect(openCalibrationFile(folder, 'a/b').path).not.toBe(openCalibrationFile(folder, 'a-b').path)
  })
})
