import pino from 'pino'
import { afterAll, describe, expect, test } from 'vitest'
import { openHistory, results } from '../../src/history/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { describeHistory, row } from '../history/history-suite.js'
import { createDatabases, postgresServer } from '../support/postgres.js'

const databases = createDatabases()
afterAll(() => databases.drop())

describe.skipIf(postgresServer === undefined)('PostgreSQL (skipped without TARGON_TEST_POSTGRES_URL)', () => {
  describeHistory('PostgreSQL', () => databases.create())

  test('loses no row when the server is unreachable at the start and later again', async () => {
    const outage = createDatabases()
    const { url } = await outage.create()
    const lines: string[] = []
    const log = pino({ level: 'error' }, { write: (line) => void lines.push(line) })
    const stop = new AbortController()
    // ten seconds between two attempts become 0.2 s
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 50, signal),
    }
    await outage.allowConnections(false)
    const history = openHistory({ place: { url }, clock, log, retentionMs: 1e13, signal: stop.signal })
    const rounds = async () =>
      (await history.read((database) => database.select({ round: results.round }).from(results)))
        .map(({ round }) => round)
        .sort((a, b) => a - b)
    const until = (count: number) => Array.from({ length: count }, (_, index) => index)
    try {
      for (const index of until(700)) history.record(row(index))
      await expect.poll(() => history.trouble()).toMatch(/could not be opened/)
      expect(history.spooled()).toBe(700)
      await outage.allowConnections(true)
      await expect.poll(() => history.spooled()).toBe(0)
      expect(await rounds()).toEqual(until(700))

      await outage.allowConnections(false)
      await outage.disconnect()
      for (const index of until(900).slice(700)) history.record(row(index))
      await expect.poll(() => history.trouble()).toBeDefined()
      expect(history.spooled()).toBe(200)
      await outage.allowConnections(true)
      await expect.poll(() => history.spooled()).toBe(0)
      expect(await rounds()).toEqual(until(900))
      await expect.poll(() => history.trouble()).toBeUndefined()
      expect(lines.filter((line) => line.includes('history-write-failed')).length).toBeGreaterThanOrEqual(2)
    } finally {
      stop.abort()
      await history.close()
      await outage.drop()
    }
  })
})
