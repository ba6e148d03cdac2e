import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, expect, test } from 'vitest'
import { openHistory } from '../../src/history/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { describeHistory, row } from './history-suite.js'

const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

describeHistory('embedded SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'targon-history-'))
  folders.push(folder)
  return { file: join(folder, 'state', 'history.sqlite') }
})

test('keeps rows of an unreachable database in a bounded spool, and drops the oldest', async () => {
  const lines: string[] = []
  const log = pino({ level: 'error' }, { write: (line) => lines.push(line) })
  const abort = new AbortController()
  const clock = new ManualClock()
  const history = openHistory({
    place: { url: 'postgres://user:secret-word@127.0.0.1:1/none' },
    clock,
    log,
    retentionMs: 1000,
    signal: abort.signal,
  })
  for (let index = 0; index < 20_010; index++) history.record(row(index))
  expect(history.spooled()).toBe(20_000)
  expect(history.dropped()).toBe(10)
  await expect(history.read(async () => 1)).rejects.toMatchObject({ code: 'HISTORY_UNAVAILABLE' })
  abort.abort()
  await history.close()
  expect(history.trouble()).toMatch(/could not be opened/)
  expect(lines.join('')).toContain('history-write-failed')
  expect(lines.join('')).not.toContain('secret-word')
})
