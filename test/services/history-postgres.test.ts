import { sql } from 'drizzle-orm'
import pino from 'pino'
import { afterAll, describe, expect, test } from 'vitest'
import { migrate, openDatabase, openHistory } from '../../src/history/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { describeHistory, row } from '../history/history-suite.js'
import { createDatabases, postgresServer } from '../support/postgres.js'

const databases = createDatabases()
afterAll(() => databases.drop())

describe.skipIf(postgresServer === undefined)('PostgreSQL (skipped without TARGON_TEST_POSTGRES_URL)', () => {
  describeHistory('PostgreSQL', () => databases.create())

  test('migrate needs no right to create when the database is up to date', async () => {
    const owner = await openDatabase(await databases.create())
    const restricted = `restricted_${process.pid}`
    const rollback = new Error('rolled back')
    try {
      await migrate(owner)
      const attempt = owner.exclusively(async (all) => {
        const run = (statement: string) => all(sql.raw(statement))
        await run('revoke create on schema public from public')
        await run(`create role ${restricted}`)
        await run(`grant select on targon_migrations to ${restricted}`)
        await run(`set local role ${restricted}`)
        expect(await migrate({ ...owner, all, exclusively: (work) => work(all) })).toBe(0)
        throw rollback
      })
      await expect(attempt).rejects.toThrow(rollback.message)
    } finally {
      await owner.close()
    }
  })

  test('rejects rows beyond the range of its columns and keeps the others', async () => {
    const stop = new AbortController()
    const log = pino({ level: 'silent' })
    const place = await databases.create()
    const history = openHistory({ place, clock: systemClock, log, retentionMs: 1e13, signal: stop.signal })
    for (const one of [row(0), row(1, { detail: 'a\u0000b' }), row(2, { block: 2 ** 31 }), row(3)])
      history.record(one)
    await expect.poll(() => history.spooled()).toBe(0)
    expect(history.dropped()).toBe(2)
    stop.abort()
    await history.close()
  })

  test('deletes old rows within the statement timeout', async () => {
    const place = await databases.create()
    const database = await openDatabase(place)
    await migrate(database)
    await database.all(
      sql.raw(`create function forbid_long() returns trigger language plpgsql as $$ begin
        if (select count(*) from gone) > 5000 then raise exception 'canceling statement due to statement timeout'; end if;
        return null; end $$`),
    )
    await database.all(
      sql.raw(`create trigger forbid_long after delete on results referencing old table as gone
        for each statement execute function forbid_long()`),
    )
    for (let part = 0; part < 24; part++)
      await database.insert({
        results: Array.from({ length: 500 }, (_, index) => row(index)),
        weights: [],
        evidence: [],
      })
    const stop = new AbortController()
    const clock = { ...systemClock, now: () => Date.now() + 1e12 }
    const log = pino({ level: 'silent' })
    const history = openHistory({ place, clock, log, retentionMs: 1000, signal: stop.signal })
    await expect
      .poll(() => database.all(sql`select cast(count(*) as integer) as count from results`))
      .toEqual([{ count: 0 }])
    expect(history.trouble()).toBeUndefined()
    stop.abort()
    await history.close()
    await database.close()
  })

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
      (await history.read(({ all }) => all<{ round: number }>(sql`select round from results`)))
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
