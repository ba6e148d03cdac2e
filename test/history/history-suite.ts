import { sql } from 'drizzle-orm'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type History,
  type HistoryPlace,
  migrate,
  openHistory,
  type ResultRow,
  reportMiners,
  results,
  weights,
} from '../../src/history/index.js'
import { systemClock } from '../../src/kernel/clock.js'

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

const opened: string[] = []
const log = pino(
  { level: 'info' },
  { write: (line) => void (line.includes('history-opened') && opened.push(line)) },
)
const LONG_MS = 100 * 365 * 86_400_000

async function write(history: History, rows: readonly ResultRow[]): Promise<void> {
  for (const one of rows) history.record(one)
  await expect.poll(() => history.spooled(), { interval: 20 }).toBe(0)
}

/** The suite for both databases. All tests share one database, empty at first, because opening PGlite takes seconds. */
export function describeHistory(name: string, place: () => Promise<HistoryPlace>): void {
  describe(name, { timeout: 120_000 }, () => {
    let at: HistoryPlace
    let history: History
    let close: () => Promise<void>
    const open = (retentionMs: number) => {
      const abort = new AbortController()
      history = openHistory({ place: at, clock: systemClock, log, retentionMs, signal: abort.signal })
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
      await close()
      expect(history.spooled()).toBe(0)
      open(86_400_000)
      expect(await history.read(migrate)).toBe(0)
      const hotkeys = () =>
        history.read((database) => database.select({ hotkey: results.hotkey }).from(results))
      await expect.poll(hotkeys).toEqual([{ hotkey: '5New' }])
      const blocks = () => history.read((database) => database.select({ block: weights.block }).from(weights))
      await expect.poll(blocks).toEqual([{ block: 1 }])
    })

    test('migrate needs no right to create when the database is up to date', async () => {
      const restricted = `restricted_${process.pid}`
      const rollback = new Error('rolled back')
      const attempt = history.read((database) =>
        database.transaction(async (transaction) => {
          const run = (statement: string) => transaction.execute(sql.raw(statement))
          await run('revoke create on schema public from public')
          await run(`create role ${restricted}`)
          await run(`grant select on targon_migrations to ${restricted}`)
          await run(`set local role ${restricted}`)
          expect(await migrate(transaction)).toBe(0)
          throw rollback
        }),
      )
      await expect(attempt).rejects.toThrow(rollback.message)
    })

    test('drops only the rows the database rejects, and writes the rest of their batch', async () => {
      const dropped = history.dropped()
      const good = Array.from({ length: 60 }, (_, index) => row(index, { at: new Date(), hotkey: '5Good' }))
      good.splice(30, 0, row(0, { detail: 'a\u0000b' }), row(0, { detail: 'a\u0000b' }))
      good.splice(50, 0, row(0, { block: 2 ** 31 }))
      good.push(row(0, { at: new Date(), hotkey: '5Good', detail: 'half a \ud83d pair' }))
      await write(history, good)
      expect(history.dropped() - dropped).toBe(3)
      const count = await history.read((database) =>
        database.$count(results, sql`${results.hotkey} = '5Good'`),
      )
      expect(count).toBe(61)
    })

    test('deletes old rows in portions within the statement timeout, and reuses their space', async () => {
      const run = (text: string) =>
        history.read((database) => database.execute<{ size: string }>(sql.raw(text)))
      await run(`create function forbid_long() returns trigger language plpgsql as $$ begin
        if (select count(*) from gone) > 5000 then raise exception 'canceling statement due to statement timeout'; end if;
        return null; end $$`)
      await run(`create trigger forbid_long after delete on results referencing old table as gone
        for each statement execute function forbid_long()`)
      const age = async () => {
        await run(`insert into results (at, validator, round, block, uid, hotkey, model, endpoint, kind, tokens, max_tokens,
          temperature, tokens_per_second, time_to_first_token_ms, total_ms, burst_share, stall_ms)
          select '2001-01-01', 'v', 1, 1, 1, '5Old', 'm', 'chat', 'verified', 1, 1, 0, 1, 1, 1, 0, 0 from generate_series(1, 12000)`)
        const { rows } = await run("select pg_relation_size('results') as size")
        await close()
        open(86_400_000)
        const old = () =>
          history.read((database) => database.$count(results, sql`${results.hotkey} = '5Old'`))
        await expect.poll(old).toBe(0)
        await expect.poll(() => history.trouble()).toBeUndefined()
        return Number(rows[0]?.size)
      }
      const sizes = [await age(), await age(), await age()]
      // PostgreSQL vacuums on its own schedule
      if ('folder' in at) expect(sizes[2]).toBeLessThan(1.5 * (sizes[0] ?? 0))
    })
  })
}
