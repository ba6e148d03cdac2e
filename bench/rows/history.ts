import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Connection from 'libsql'
import { type Database, type HistoryPlace, migrate, openDatabase } from '../../src/history/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { row } from '../../test/history/history-suite.js'
import { createDatabases, postgresServer } from '../../test/support/postgres.js'
import { type Bench, median, type Row } from '../row.js'

const BATCHES = 20
const BATCH_ROWS = 500
const GOAL_MS = 20

/** Writes results as a validator does; the contrast calls SQLite on the main thread. */
export const bench: Bench = {
  name: 'history',
  summary: `writing ${BATCHES * BATCH_ROWS} results: the longest stall of the event loop, with SQLite on the main thread as contrast`,
  async run({ rounds }): Promise<Row[]> {
    const stalls = {
      idle: [] as number[],
      thread: [] as number[],
      main: [] as number[],
      postgres: [] as number[],
    }
    const opening: number[] = []
    const databases = createDatabases()
    for (let round = 0; round < rounds; round++) {
      stalls.idle.push(await longestStall(() => systemClock.sleep(1000)))
      await inFolder(async (file) => {
        opening.push(await timeOf(async () => (await open({ file })).close()))
        stalls.thread.push(await writeAll({ file }))
      })
      stalls.main.push(await inFolder(writeOnMainThread))
      if (postgresServer !== undefined) stalls.postgres.push(await writeAll(await databases.create()))
    }
    await databases.drop()
    const idle = median(stalls.idle)
    const rowOf = (name: string, values: readonly number[]): Row => {
      const value = median(values)
      const reached = value <= GOAL_MS ? 'must' : 'missed'
      return {
        ...{ name, value, unit: 'ms', goal: { must: `≤ ${GOAL_MS} ms`, reached } },
        ratio: { to: 'an idle event loop', value: value / idle },
      }
    }
    return [
      { name: 'opening a new SQLite history', value: median(opening), unit: 'ms' },
      rowOf('longest stall, SQLite on its thread', stalls.thread),
      rowOf('longest stall, SQLite on the main thread', stalls.main),
      ...(stalls.postgres.length > 0 ? [rowOf('longest stall, PostgreSQL', stalls.postgres)] : []),
    ]
  },
}

const BATCH = Array.from({ length: BATCH_ROWS }, (_, index) => row(index))

async function open(place: HistoryPlace): Promise<Database> {
  const database = await openDatabase(place)
  await migrate(database)
  return database
}

/** @returns the longest stall while the batches are written; the modules are loaded before. */
async function writeAll(place: HistoryPlace): Promise<number> {
  const database = await open(place)
  await database.insert({ results: BATCH.slice(0, 1), weights: [], evidence: [] })
  const stall = await longestStall(async () => {
    for (let batch = 0; batch < BATCHES; batch++)
      await database.insert({ results: BATCH, weights: [], evidence: [] })
  })
  await database.close()
  return stall
}

const COLUMNS = `at, validator, round, block, uid, hotkey, model, endpoint, kind, tokens, max_tokens, temperature,
  tokens_per_second, time_to_first_token_ms, total_ms, burst_share, stall_ms`

async function writeOnMainThread(file: string): Promise<number> {
  await (await open({ file })).close()
  const connection = new Connection(file)
  const places = COLUMNS.split(',').map(() => '?')
  const statement = connection.prepare(`insert into results (${COLUMNS}) values (${places.join(', ')})`)
  const stall = await longestStall(async () => {
    for (let batch = 0; batch < BATCHES; batch++) {
      connection.exec('begin immediate')
      for (const { at, validator, round, block, uid, hotkey, model, endpoint, kind, ...one } of BATCH)
        statement.run([
          ...[at.getTime(), validator, round, block, uid, hotkey, model, endpoint, kind],
          ...[one.tokens, one.maxTokens, one.temperature, one.tokensPerSecond, one.timeToFirstTokenMs],
          ...[one.totalMs, one.burstShare, one.stallMs],
        ])
      connection.exec('commit')
      await systemClock.sleep(1)
    }
  })
  connection.close()
  return stall
}

async function inFolder<T>(work: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'targon-bench-'))
  try {
    return await work(join(folder, 'history.sqlite'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** In milliseconds. */
async function longestStall(work: () => Promise<void>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await work()
  delay.disable()
  return delay.max / 1e6
}
