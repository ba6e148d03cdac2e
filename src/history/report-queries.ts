import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Database } from './database.js'
import type { ModelReport, Spread } from './report-document.js'

const WINDOW = 15
const MAX_FAILURES = 5
const HOUR_MS = 3_600_000
const PERCENTILES = { p5: 0.05, p50: 0.5, p95: 0.95 } as const
/** Kinds of rows whose speed counts in the window; all others are misses. */
const SPEED_KINDS: ReadonlySet<string> = new Set(['verified', 'sat-out'])

type Condition = SQL | undefined
type Results = Database['tables']['results']

/** Of an answer that is long enough to measure a speed. */
const isMeasured = (results: Results) =>
  sql`(${results.kind} = 'verified' and ${results.tokensPerSecond} > 0)`
/** Rows that are part of the window: neither inconclusive nor verified without a speed. */
const isCounted = (results: Results) =>
  sql`${results.kind} <> 'inconclusive' and not (${results.kind} = 'verified' and ${results.tokensPerSecond} = 0)`

export type ResultCount = { kind: string; cause: string | null; count: number }

/** How many results there are of each kind and cause. */
export async function countResults(database: Database, condition: Condition): Promise<ResultCount[]> {
  const { results } = database.tables
  return database.all<ResultCount>(sql`
    select ${results.kind} as kind, ${results.cause} as cause, cast(count(*) as integer) as count
    from ${results} where ${condition} group by ${results.kind}, ${results.cause} order by 1, 2`)
}

/** The uid of the newest of these results; undefined without any. */
export async function readNewestUid(database: Database, condition: Condition): Promise<number | undefined> {
  const { results } = database.tables
  const [row] = await database.all<{ uid: number }>(sql`
    select ${results.uid} as uid from ${results} where ${condition}
    order by ${results.at} desc, ${results.id} desc limit 1`)
  return row?.uid
}

/** Hotkey of the validator that recorded the newest result; undefined without results. */
export async function readNewestValidator(database: Database): Promise<string | undefined> {
  const { results } = database.tables
  const [row] = await database.all<{ validator: string }>(
    sql`select ${results.validator} as validator from ${results} order by ${results.id} desc limit 1`,
  )
  return row?.validator
}

/**
 * Percentiles of a column over the measured answers, interpolated between neighbours; null without any. The database sorts
 * and returns the rows beside the three places: SQLite has no function for percentiles.
 */
export async function readSpread(
  database: Database,
  column: Results['tokensPerSecond'] | Results['timeToFirstTokenMs'],
  condition: Condition,
): Promise<Spread | null> {
  const { results } = database.tables
  const isNear = Object.values(PERCENTILES).map((share) => {
    const place = sql.raw(`(count - 1) * ${share}`)
    return sql`(place > ${place} - 1 and place < ${place} + 1)`
  })
  const rows = await database.all<{ value: number; place: number; count: number }>(sql`
    select value, cast(place as integer) as place, cast(count as integer) as count from (
      select ${column} as value, row_number() over (order by ${column}) - 1 as place, count(*) over () as count
      from ${results} where ${and(condition, isMeasured(results))}
    ) as ranked where ${sql.join(isNear, sql` or `)} order by place`)
  const count = rows[0]?.count
  if (count === undefined) return null
  const valueAt = (place: number) => rows.find((row) => row.place === place)?.value ?? 0
  const percentile = (share: number) => {
    const place = (count - 1) * share
    const [low, high] = [Math.floor(place), Math.ceil(place)]
    return valueAt(low) + (valueAt(high) - valueAt(low)) * (place - low)
  }
  return {
    p5: percentile(PERCENTILES.p5),
    p50: percentile(PERCENTILES.p50),
    p95: percentile(PERCENTILES.p95),
  }
}

/** The last results that count, oldest first. */
export async function readWindow(database: Database, condition: Condition): Promise<ModelReport['window']> {
  const { results } = database.tables
  const rows = await database.all<{ kind: string; speed: number }>(sql`
    select ${results.kind} as kind, ${results.tokensPerSecond} as speed
    from ${results} where ${and(condition, isCounted(results))}
    order by ${results.at} desc, ${results.id} desc limit ${WINDOW}`)
  return rows.map(({ kind, speed }) => (SPEED_KINDS.has(kind) ? speed : null)).reverse()
}

type Failure = { at: number; block: number; cause: string | null; detail: string | null; tokens: number }

/** The last failures, newest first. */
export async function readFailures(
  database: Database,
  condition: Condition,
): Promise<ModelReport['lastFailures']> {
  const { results } = database.tables
  const rows = await database.all<Failure>(sql`
    select ${database.milliseconds(results.at)} as at, ${results.block} as block, ${results.cause} as cause,
      ${results.detail} as detail, ${results.tokens} as tokens
    from ${results} where ${and(condition, eq(results.kind, 'failed'))}
    order by ${results.at} desc, ${results.id} desc limit ${MAX_FAILURES}`)
  return rows.map(({ at, cause, detail, ...row }) => ({
    ...row,
    at: new Date(at).toISOString(),
    cause: cause ?? '',
    detail: detail ?? '',
  }))
}

type Hour = { hour: string | number; verified: number; failed: number; mean: number | null }

/** By hours of UTC, whatever the time zone of the database. */
export async function readTrend(database: Database, condition: Condition): Promise<ModelReport['trend']> {
  const { results } = database.tables
  const at = sql`cast(${database.milliseconds(results.at)} as bigint)`
  const countIf = (matches: SQL) => sql`cast(sum(case when ${matches} then 1 else 0 end) as integer)`
  const rows = await database.all<Hour>(sql`
    select ${at} / ${sql.raw(String(HOUR_MS))} as hour,
      ${countIf(sql`${results.kind} = 'verified'`)} as verified,
      ${countIf(sql`${results.kind} in ('failed', 'missed')`)} as failed,
      avg(case when ${isMeasured(results)} then ${results.tokensPerSecond} end) as mean
    from ${results} where ${condition} group by 1 order by 1`)
  return rows.map(({ hour, verified, failed, mean }) => ({
    at: new Date(Number(hour) * HOUR_MS).toISOString(),
    verified,
    failed,
    meanTokensPerSecond: mean ?? 0,
  }))
}
