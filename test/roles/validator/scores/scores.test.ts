import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openScores } from '../../../../src/roles/validator/scores/scores.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { servingMiners, viewOf } from '../rounds/round-parts.js'
import { MODEL } from '../validator-rig.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-scores-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const isSettled = async (promise: Promise<void>) => {
  await settle()
  return Promise.race([
    promise.then(() => true),
    new Promise((resolve) => setImmediate(() => resolve(false))),
  ])
}

test('ends a save that hangs at its deadline, reports it, and loses nothing once the disk responds', async () => {
  const clock = new ManualClock()
  const log = pino({ level: 'silent' })
  const path = join(folder, 'cache.json')
  const { metagraph } = viewOf(servingMiners(2))
  const scores = await openScores(path, metagraph, 360, { clock, log })
  scores.book.record('5Miner1', MODEL, 50, 1)
  await scores.save()

  // Opening a pipe for writing waits for a reader, like a disk that does not respond.
  const pipe = `${path}.partial`
  execFileSync('mkfifo', [pipe])
  scores.book.record('5Miner1', MODEL, 60, 2)
  const first = scores.save()
  expect(await isSettled(first)).toBe(false)
  await clock.advance(10_000)
  await first
  expect(scores.trouble()).toMatch(/scores cannot be saved/)
  // The next save, after a round or at shutdown, behaves the same.
  scores.book.record('5Miner1', MODEL, 70, 3)
  const second = scores.save()
  expect(await isSettled(second)).toBe(false)
  await clock.advance(10_000)
  await second

  await readFile(pipe, 'utf8').catch(() => '')
  await rm(pipe, { force: true })
  await scores.save()
  expect(scores.trouble()).toBeUndefined()
  const again = await openScores(path, metagraph, 360, { clock, log })
  expect(again.book.results('5Miner1', MODEL)).toEqual([50, 60, 70])
})

test('logs an error when a damaged file loses the scores, but not at the first start', async () => {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line) => lines.push(line) })
  const path = join(folder, 'cache.json')
  const { metagraph } = viewOf(servingMiners(2))
  const open = () => openScores(path, metagraph, 360, { clock: new ManualClock(), log })
  await open()
  expect(lines).toEqual([])
  await writeFile(path, 'half a bo')
  await open()
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 50, event: 'scores-empty', reason: expect.stringContaining('damaged') },
  ])
})
