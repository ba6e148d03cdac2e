import { sql } from 'drizzle-orm'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Migration } from '../../src/database/index.js'
import {
  type EvidenceRecord,
  type History,
  type HistoryPlace,
  migrate,
  openDatabase,
  openHistory,
  type ResultRow,
  reportMiners,
} from '../../src/history/index.js'
import { MIGRATIONS } from '../../src/history/migrations.js'
import { type Clock, systemClock } from '../../src/kernel/clock.js'

export const START = Date.parse('2026-01-01T00:00:00Z')

export function row(index: number, overrides: Partial<ResultRow> = {}): ResultRow {
  return {
    at: new Date(START + index * 60_000),
    validator: '5Vali',
    round: index,
    block: 1000 + index,
    uid: 3,
    hotkey: '5Hot',
    model: 'org/m',
    endpoint: 'chat',
    kind: 'verified',
    cause: null,
    detail: null,
    tokens: 100,
    maxTokens: 128,
    temperature: 0.5,
    seed: 12_345,
    tokensPerSecond: 50 + index,
    timeToFirstTokenMs: 100,
    totalMs: 2000,
    burstShare: 0.1,
    stallMs: 0,
    ...overrides,
  }
}

export function evidenceRow(overrides: Partial<EvidenceRecord> = {}): EvidenceRecord {
  return {
    ...{
      at: new Date(START),
      validator: '5Vali',
      hotkey: '5Hot',
      model: 'org/m',
      level: 'clean',
      enforces: 1,
    },
    ...{ suspicion: 1.5, enforced: 0.25, threshold: 11.3, answers: 7, tokens: 1400, dialect: 'murmur3' },
    ...{ sentence: 'The answers fit the model.' },
    statistics: [
      {
        ...{ statistic: 'seeded', suspicion: 1, enforced: 0, tokens: 900 },
        ...{ estimate: { value: 0.03, low: 0.01, high: 0.05 }, honest: { low: 0, high: 0.07 } },
      },
    ],
    ...overrides,
  }
}

const opened: string[] = []
const log = pino(
  { level: 'info' },
  { write: (line) => void (line.includes('history-opened') && opened.push(line)) },
)
/** The pause of a second between two batches becomes 20 ms. */
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms === 1000 ? 20 : ms, signal),
}
const LONG_MS = 100 * 365 * 86_400_000

async function write(history: History, rows: readonly ResultRow[]): Promise<void> {
  for (const one of rows) history.record(one)
  await expect.poll(() => history.spooled(), { interval: 20 }).toBe(0)
}

/** The suite for both databases. All tests share one database, empty at first. */
export function describeHistory(name: string, place: () => Promise<HistoryPlace>): void {
  describe(name, { timeout: 120_000 }, () => {
    let at: HistoryPlace
    let history: History
    let close: () => Promise<void>
    const open = (retentionMs: number) => {
      const abort = new AbortController()
      history = openHistory({ place: at, clock, log, retentionMs, signal: abort.signal })
      close = () => {
        abort.abort()
        return history.close()
      }
    }
    beforeAll(async () => {
      at = await place()
      open(LONG_MS)
      opened.length = 0
      await Promise.all([history.read(async () => {}), history.read(async () => {})])
    })
    afterAll(() => close(), 60_000)

    test('opens the database once for concurrent reads', () => {
      expect(opened).toHaveLength(1)
    })

    test('reports window, verdicts, percentiles, last failures and trend', async () => {
      await write(history, [
        ...Array.from({ length: 20 }, (_, index) => row(index)),
        row(20, { kind: 'failed', cause: 'LOGPROB_MISMATCH', detail: 'position 7: 0.31 against 0.92' }),
        row(21, { kind: 'inconclusive', cause: 'stalled-loop', detail: 'stood still' }),
        row(90, { hotkey: '5Other', uid: 9, model: 'org/n' }),
      ])
      const report = (miner?: string) =>
        history.read((database) => reportMiners(database, { miner, since: new Date(START) }))
      expect((await report()).map(({ uid }) => uid)).toEqual([3, 9])
      const [miner] = await report('3')
      expect(await report('5Hot')).toEqual([miner])
      const [model] = miner?.models ?? []
      expect(model?.window).toEqual([...Array.from({ length: 14 }, (_, index) => 56 + index), null])
      expect(model?.verdicts).toEqual({ verified: 20, inconclusive: 1, failed: { LOGPROB_MISMATCH: 1 } })
      expect(model?.tokensPerSecond?.p50).toBeCloseTo(59.5)
      expect(model?.lastFailures).toEqual([
        expect.objectContaining({
          block: 1020,
          cause: 'LOGPROB_MISMATCH',
          detail: 'position 7: 0.31 against 0.92',
        }),
      ])
      expect(model?.trend).toEqual([
        { at: '2026-01-01T00:00:00.000Z', verified: 20, failed: 1, meanTokensPerSecond: 59.5 },
      ])
      expect(await report("x' or 1=1 --")).toEqual([])
      const seenBy = (validator: string) =>
        history.read((database) => reportMiners(database, { validator, since: new Date(START) }))
      expect(await seenBy('5Vali')).toHaveLength(2)
      expect(await seenBy('5Else')).toEqual([])
    })

    test('writes spooled rows on close, and deletes old rows after the next start', async () => {
      for (let index = 0; index < 1200; index++) history.record(row(index, { hotkey: '5Batch' }))
      history.record(row(0, { at: new Date(), hotkey: '5New' }))
      for (const [block, at] of [START, Date.now()].entries())
        history.recordWeights({
          ...{ at: new Date(at), validator: '5Vali', block, path: 'direct' },
          entries: [{ uid: 1, weightU16: 65535 }],
        })
      for (const [answers, at] of [START, Date.now()].entries())
        history.recordEvidence(evidenceRow({ at: new Date(at), answers }))
      await close()
      expect(history.spooled()).toBe(0)
      open(86_400_000)
      expect(await history.read(migrate)).toBe(0)
      const hotkeys = () => history.read(({ all }) => all(sql`select hotkey from results`))
      await expect.poll(hotkeys).toEqual([{ hotkey: '5New' }])
      const blocks = () => history.read(({ all }) => all(sql`select block from weights`))
      await expect.poll(blocks).toEqual([{ block: 1 }])
      const kept = () => history.read(({ all }) => all(sql`select answers from evidence`))
      await expect.poll(kept).toEqual([{ answers: 1 }])
    })

    test('reports the evidence of the period: its newest state, and the wealth over time', async () => {
      history.record(row(0, { at: new Date(), hotkey: '5Weighed' }))
      const hour = 3_600_000
      for (const [index, level] of ['clean', 'suspected', 'barred'].entries())
        history.recordEvidence(
          evidenceRow({
            ...{
              at: new Date(Date.now() - (3 - index) * hour),
              level,
              suspicion: index,
              enforced: index / 2,
            },
            ...{ hotkey: '5Weighed', answers: 10 * index, sentence: `level ${level}` },
          }),
        )
      history.recordEvidence(evidenceRow({ hotkey: '5Weighed', validator: '5Else', at: new Date() }))
      await expect.poll(() => history.spooled(), { interval: 20 }).toBe(0)
      const report = async (hours: number) => {
        const filter = { miner: '5Weighed', since: new Date(Date.now() - hours * hour), validator: '5Vali' }
        const [miner] = await history.read((database) => reportMiners(database, filter))
        return miner?.models[0]?.evidence
      }
      const found = await report(24)
      const { statistics } = evidenceRow()
      expect(found).toMatchObject({ level: 'barred', enforces: true, answers: 20, statistics })
      expect(found?.sentence).toBe('level barred')
      expect(found?.points.map(({ level, suspicion, enforced }) => [level, suspicion, enforced])).toEqual([
        ['clean', 0, 0],
        ['suspected', 1, 0.5],
        ['barred', 2, 1],
      ])
      expect((await report(2.5))?.points).toHaveLength(2)
      expect(await report(0.5)).toBeUndefined()
    })

    test('lists a model of which there is evidence but no result, under the uid of the miner', async () => {
      const at = new Date()
      history.record(row(0, { at, hotkey: '5Organic', uid: 77, model: 'org/m' }))
      history.recordEvidence(evidenceRow({ at, hotkey: '5Organic', model: 'org/users' }))
      history.recordEvidence(evidenceRow({ at, hotkey: '5Unknown', model: 'org/users' }))
      await expect.poll(() => history.spooled(), { interval: 20 }).toBe(0)
      const report = (filter: { miner?: string; validator?: string }) => {
        const since = new Date(Date.now() - 3_600_000)
        return history.read((database) => reportMiners(database, { since, ...filter }))
      }
      for (const miner of ['77', '5Organic']) {
        const [found] = await report({ miner })
        expect(found).toMatchObject({ uid: 77, hotkey: '5Organic' })
        expect(found?.models.map(({ model }) => model)).toEqual(['org/m', 'org/users'])
        expect(found?.models[1]).toMatchObject({ window: [], evidence: { level: 'clean', answers: 7 } })
      }
      expect((await report({})).map(({ hotkey }) => hotkey)).not.toContain('5Unknown')
      expect(await report({ miner: '78' })).toEqual([])
      expect(await report({ miner: '77', validator: '5Else' })).toEqual([])
    })

    test('drops only the rows the database rejects, and writes the rest of their batch', async () => {
      const dropped = history.dropped()
      const good = Array.from({ length: 60 }, (_, index) => row(index, { at: new Date(), hotkey: '5Good' }))
      const refused = row(0, { hotkey: null as unknown as string })
      good.splice(30, 0, refused, refused)
      good.splice(50, 0, refused)
      good.push(row(0, { at: new Date(), hotkey: '5Good', detail: 'half a \ud83d pair' }))
      await write(history, good)
      expect(history.dropped() - dropped).toBe(3)
      expect(await count(history, '5Good')).toBe(61)
    })

    test('deletes old rows in portions, and reuses their space', async () => {
      const sizes: number[] = []
      for (let turn = 0; turn < 2; turn++) {
        const old = { at: new Date('2001-01-01'), hotkey: '5Old' }
        await write(
          history,
          Array.from({ length: 12_000 }, (_, index) => row(index, old)),
        )
        sizes.push(await sizeOf(history))
        await close()
        open(86_400_000)
        await expect.poll(() => count(history, '5Old')).toBe(0)
        await expect.poll(() => history.trouble()).toBeUndefined()
      }
      // PostgreSQL vacuums on its own schedule
      if ('file' in at) expect(sizes[1]).toBeLessThan(1.1 * (sizes[0] ?? 0))
    })

    test('keeps numbers, times and lists exactly', async () => {
      const exact = row(0, {
        ...{ hotkey: '5Exact', at: new Date('2026-03-29T01:59:59.999Z') },
        ...{ round: 2 ** 31 - 1, block: 2 ** 31 - 1, seed: -(2 ** 31), tokensPerSecond: 0.1 + 0.2 },
        ...{ stallMs: Number.MIN_VALUE, totalMs: Number.MAX_SAFE_INTEGER, detail: 'ünïcode 😀 \'";--' },
      })
      await write(history, [exact])
      const [kept] = await history.read(({ all, milliseconds, tables: { results } }) =>
        all(sql`select ${milliseconds(results.at)} as at, round, block, seed, tokens_per_second, stall_ms, total_ms, detail
          from results where hotkey = '5Exact'`),
      )
      expect(kept).toEqual({
        ...{
          at: exact.at.getTime(),
          round: exact.round,
          block: exact.block,
          seed: exact.seed,
          detail: exact.detail,
        },
        ...{ tokens_per_second: exact.tokensPerSecond, stall_ms: exact.stallMs, total_ms: exact.totalMs },
      })
      const entries = [{ uid: 255, weightU16: 65_535 }]
      history.recordWeights({ at: exact.at, validator: '5Exact', block: 7, path: 'direct', entries })
      await expect.poll(() => history.spooled(), { interval: 20 }).toBe(0)
      const [update] = await history.read(({ all }) =>
        all<{ entries: unknown }>(sql`select entries from weights where validator = '5Exact'`),
      )
      const { entries: stored } = update ?? {}
      expect(typeof stored === 'string' ? JSON.parse(stored) : stored).toEqual(entries)
    })

    test('groups the trend by hours of UTC and interpolates percentiles', async () => {
      const at = (time: string) => new Date(`2026-05-01T${time}Z`)
      const common = { hotkey: '5Hours', tokensPerSecond: 10 }
      const times = ['00:00:00', '00:59:59.999', '01:00:00', '01:30:00']
      await write(
        history,
        times.map((time, index) => row(0, { ...common, at: at(time), tokensPerSecond: 10 * (index + 1) })),
      )
      const [miner] = await history.read((database) =>
        reportMiners(database, { miner: '5Hours', since: at('00:00:00') }),
      )
      expect(miner).toMatchObject({ from: at('00:00:00').toISOString(), to: at('01:30:00').toISOString() })
      expect(miner?.models[0]?.trend).toEqual([
        { at: at('00:00:00').toISOString(), verified: 2, failed: 0, meanTokensPerSecond: 15 },
        { at: at('01:00:00').toISOString(), verified: 2, failed: 0, meanTokensPerSecond: 35 },
      ])
      expect(miner?.models[0]?.tokensPerSecond?.p5).toBeCloseTo(11.5, 10)
      expect(miner?.models[0]?.tokensPerSecond?.p50).toBe(25)
      expect(miner?.models[0]?.tokensPerSecond?.p95).toBeCloseTo(38.5, 10)
    })

    test('lists a hotkey under its latest uid', async () => {
      const moved = { hotkey: '5Moved' }
      await write(history, [
        row(1, { ...moved, uid: 40, model: 'org/z' }),
        row(2, { ...moved, uid: 41, model: 'org/a' }),
      ])
      const [miner] = await history.read((database) =>
        reportMiners(database, { miner: '5Moved', since: new Date(START) }),
      )
      expect(miner?.uid).toBe(41)
      expect(miner?.models.map(({ model }) => model)).toEqual(['org/a', 'org/z'])
    })

    test('brings a database of every earlier schema up to date once, and keeps its rows', async () => {
      const added: Migration = {
        postgres: ['alter table results add column extra integer not null default 7'],
        embedded: ['alter table results add column extra integer not null default 7'],
      }
      for (let version = 0; version <= MIGRATIONS.length; version++) {
        const older = await openDatabase(await place())
        try {
          const known = MIGRATIONS.slice(0, version)
          expect(await migrate(older, known)).toBe(version)
          if (version > 0) {
            await older.insert({ results: [row(1)], weights: [], evidence: [] })
            // as a folder of 4.5.0 that is served to `report` and never opened by a validator
            const [miner] = await reportMiners(older, { miner: '5Hot', since: new Date(START) })
            expect(miner?.models[0]?.verdicts.verified).toBe(1)
          }
          expect(await migrate(older, [...MIGRATIONS, added])).toBe(MIGRATIONS.length + 1 - version)
          expect(await migrate(older, [...MIGRATIONS, added])).toBe(0)
          // the release before opens it as well, after a rollback
          expect(await migrate(older)).toBe(0)
          await older.insert({ results: [row(2)], weights: [], evidence: [] })
          const rows = await older.all(sql`select round, extra from results order by round`)
          expect(rows).toEqual([...(version > 0 ? [{ round: 1, extra: 7 }] : []), { round: 2, extra: 7 }])
        } finally {
          await older.close()
        }
      }
    })

    test('leaves the database as it was when a migration fails', async () => {
      const database = await openDatabase(await place())
      try {
        const broken: Migration = {
          postgres: ['create table half (x integer)', 'nonsense'],
          embedded: ['create table half (x integer)', 'nonsense'],
        }
        await migrate(database)
        await expect(migrate(database, [...MIGRATIONS, broken])).rejects.toThrow()
        const [half] = await database.all<{ found: unknown }>(database.hasTable('half'))
        expect(Boolean(half?.found)).toBe(false)
        expect(await migrate(database)).toBe(0)
      } finally {
        await database.close()
      }
    })
  })
}

async function count(history: History, hotkey: string): Promise<number> {
  const [row] = await history.read(({ all }) =>
    all<{ count: number }>(
      sql`select cast(count(*) as integer) as count from results where hotkey = ${hotkey}`,
    ),
  )
  return row?.count ?? 0
}

async function sizeOf(history: History): Promise<number> {
  const [row] = await history.read(({ all, kind }) =>
    all<{ size: number | string }>(
      kind === 'embedded'
        ? sql`select page_count * page_size as size from pragma_page_count(), pragma_page_size()`
        : sql`select pg_relation_size('results') as size`,
    ),
  )
  return Number(row?.size)
}
