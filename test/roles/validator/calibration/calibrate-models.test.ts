import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import ValidatorCalibrate from '../../../../src/commands/validator/calibrate.js'
import { systemClock } from '../../../../src/kernel/index.js'
import { type DevelopmentEngine, startDevelopmentEngine } from '../../../../src/localnet/engine/index.js'
import { runCommand } from '../../../support/cli.js'

const MODEL = 'targon-dev/small-a'
let folder: string
let engine: DevelopmentEngine

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-calibrate-'))
  engine = await startDevelopmentEngine({ port: 0, models: [MODEL] }, { clock: systemClock })
})
afterEach(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

function calibrate(...more: string[]) {
  const where = ['--engine.endpoints', `${MODEL}=${engine.url}`, '--engine.hub-url', engine.url]
  return runCommand(ValidatorCalibrate, [...where, '--logging.logging_dir', folder, ...more])
}

it('calibrates an engine, and measures it once unless told to measure again', async () => {
  const first = await calibrate('--evidence.calibration-answers', '21')
  expect(first.status).toBe(0)
  expect(first.stdout).toContain(`${MODEL} is calibrated: 21 answers`)
  expect(first.stdout).toContain('Suspicion begins at 0.030 nats of noise per logit and 0.015 nats')
  expect(first.result).toMatchObject({ calibrations: [{ model: MODEL, state: 'calibrated', wouldFail: 0 }] })
  const second = await calibrate(MODEL)
  expect(second.result).toEqual(first.result)
}, 240_000)

it('says which models have an endpoint, and when an engine refuses to start', async () => {
  const other = await calibrate('org/other')
  expect(other.status).toBe(2)
  expect(other.stderr).toContain(`the endpoints serve ${MODEL}`)
  const none = await runCommand(ValidatorCalibrate, ['--logging.logging_dir', folder])
  expect(none.stderr).toContain('There is no engine to calibrate')
}, 240_000)
