import { and, desc, eq, gte, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from './database.js'
import { results } from './schema.js'

const spread = z.object({ p5: z.number(), p50: z.number(), p95: z.number() })

/** Explains the score of a miner for one model. Times in milliseconds, speeds in tokens per second. */
export const modelReport = z.object({
  model: z.string(),
  /** The last 15 results that count, also from before the period, oldest first: tokens per second, or null for a failure. */
  window: z.array(z.number().nullable()),
  verdicts: z.object({
    verified: z.number(),
    inconclusive: z.number(),
    failed: z.record(z.string(), z.number()),
  }),
  /** How often the miner was not queried because it did not list the model. */
  notServing: z.number(),
  /** How many rounds it sat out because its last answer was still streaming. */
  satOut: z.number().default(0),
  tokensPerSecond: spread.nullable(),
  timeToFirstTokenMs: spread.nullable(),
  lastFailures: z.array(
    z.object({
      at: z.string(),
      block: z.number(),
      cause: z.string(),
      detail: z.string(),
      tokens: z.number(),
    }),
  ),
  /** By hour, oldest first. */
  trend: z.array(
    z.object({ at: z.string(), verified: z.number(), failed: z.number(), meanTokensPerSecond: z.number() }),
  ),
})

export const minerReport = z.object({
  uid: z.number(),
  hotkey: z.string(),
  /** First and last result in the period. */
  from: z.string(),
  to: z.string(),
  models: z.array(modelReport),
})

export type ModelReport = z.output<typeof modelReport>
export type MinerReport = z.output<typeof minerReport>

export interface ReportFilter {
  /** A uid or a hotkey; undefined for all miners. */
  readonly miner?: string | undefined
  /** Only results since this time. */
  readonly since: Date
  /** Only results of the validator with this hotkey; several may share a PostgreSQL database. */
  readonly validator?: string | undefined
}

const WINDOW = 15
const MAX_FAILURES = 5
/** Cause of the rows of rounds that a miner sat out; their kind is `sat-out` with a speed, or `missed`. */
const STILL_STREAMING = 'STILL_STREAMING'
/** Kinds of rows whose speed counts in the window; all others are misses. */
const SPEED_KINDS: ReadonlySet<string> = new Set(['verified', 'sat-out'])

/** Reports on the matching miners, sorted by uid; a hotkey is listed under its latest uid. */
export async function reportMiners(database: Database, filter: ReportFilter): Promise<MinerReport[]> {
  const inPeriod = and(gte(results.at, filter.since), validatorCondition(filter.validator))
  const groups = await database
    .select({
      hotkey: results.hotkey,
      model: results.model,
      uid: sql<number>`(array_agg(${results.uid} order by ${results.at} desc))[1]`,
      from: sql<string | Date>`min(${results.at})`,
      to: sql<string | Date>`max(${results.at})`,
    })
    .from(results)
    .where(and(inPeriod, minerCondition(filter.miner)))
    .groupBy(results.hotkey, results.model)
    .orderBy(results.hotkey, results.model)
  const miners = new Map<string, MinerReport>()
  for (const group of groups) {
    const known = miners.get(group.hotkey)
    const model = await reportModel(database, group.hotkey, group.model, filter)
    const [from, to] = [iso(group.from), iso(group.to)]
    miners.set(group.hotkey, {
      uid: Number(group.uid),
      hotkey: group.hotkey,
      from: known && known.from < from ? known.from : from,
      to: known && known.to > to ? known.to : to,
      models: [...(known?.models ?? []), model],
    })
  }
  return [...miners.values()].sort((a, b) => a.uid - b.uid)
}

function minerCondition(miner: string | undefined): SQL | undefined {
  if (miner === undefined) return undefined
  return /^\d{1,5}$/.test(miner) ? eq(results.uid, Number(miner)) : eq(results.hotkey, miner)
}

function validatorCondition(validator: string | undefined): SQL | undefined {
  return validator === undefined ? undefined : eq(results.validator, validator)
}

async function reportModel(
  database: Database,
  hotkey: string,
  model: string,
  { validator, since }: ReportFilter,
): Promise<ModelReport> {
  const ever = and(eq(results.hotkey, hotkey), eq(results.model, model), validatorCondition(validator))
  const inPeriod = and(ever, gte(results.at, since))
  const counts = await countResults(database, inPeriod)
  const spreads = await readSpreads(database, inPeriod)
  return {
    model,
    window: await readWindow(database, ever),
    verdicts: summarizeVerdicts(counts),
    notServing: countRows(counts, ({ kind, cause }) => kind === 'missed' && cause !== STILL_STREAMING),
    satOut: countRows(counts, ({ cause }) => cause === STILL_STREAMING),
    ...spreads,
    lastFailures: await readFailures(database, inPeriod),
    trend: await readTrend(database, inPeriod),
  }
}

function countRows(counts: readonly ResultCount[], matches: (entry: ResultCount) => boolean): number {
  return counts.filter(matches).reduce((sum, { count }) => sum + count, 0)
}

const ifVerified = sql`filter (where ${results.kind} = 'verified')`
/** Not of an answer that is too short to measure a speed. */
const ifMeasured = sql`filter (where ${results.kind} = 'verified' and ${results.tokensPerSecond} > 0)`
/** Rows that are part of the window: neither inconclusive nor verified without a speed. */
const isCounted = sql`${results.kind} <> 'inconclusive' and not (${results.kind} = 'verified' and ${results.tokensPerSecond} = 0)`

interface ResultCount {
  readonly kind: string
  readonly cause: string | null
  readonly count: number
}

async function countResults(database: Database, condition: SQL | undefined): Promise<ResultCount[]> {
  return await database
    .select({ kind: results.kind, cause: results.cause, count: sql<number>`count(*)::int` })
    .from(results)
    .where(condition)
    .groupBy(results.kind, results.cause)
}

async function readSpreads(
  database: Database,
  condition: SQL | undefined,
): Promise<Pick<ModelReport, 'tokensPerSecond' | 'timeToFirstTokenMs'>> {
  const percentiles = (column: SQL) =>
    sql<
      number[] | null
    >`percentile_cont(array[0.05, 0.5, 0.95]) within group (order by ${column}) ${ifMeasured}`
  const [row] = await database
    .select({
      speed: percentiles(sql`${results.tokensPerSecond}`),
      first: percentiles(sql`${results.timeToFirstTokenMs}`),
    })
    .from(results)
    .where(condition)
  return { tokensPerSecond: spreadOf(row?.speed), timeToFirstTokenMs: spreadOf(row?.first) }
}

async function readWindow(database: Database, condition: SQL | undefined): Promise<(number | null)[]> {
  const rows = await database
    .select({ kind: results.kind, tokensPerSecond: results.tokensPerSecond })
    .from(results)
    .where(and(condition, isCounted))
    .orderBy(desc(results.at), desc(results.id))
    .limit(WINDOW)
  return rows.map(({ kind, tokensPerSecond }) => (SPEED_KINDS.has(kind) ? tokensPerSecond : null)).reverse()
}

async function readFailures(
  database: Database,
  condition: SQL | undefined,
): Promise<ModelReport['lastFailures']> {
  const rows = await database
    .select()
    .from(results)
    .where(and(condition, eq(results.kind, 'failed')))
    .orderBy(desc(results.at), desc(results.id))
    .limit(MAX_FAILURES)
  return rows.map(({ at, block, cause, detail, tokens }) => ({
    at: at.toISOString(),
    block,
    cause: cause ?? '',
    detail: detail ?? '',
    tokens,
  }))
}

async function readTrend(database: Database, condition: SQL | undefined): Promise<ModelReport['trend']> {
  const rows = await database
    .select({
      at: sql<string | Date>`date_trunc('hour', ${results.at})`,
      verified: sql<number>`count(*) ${ifVerified}`,
      failed: sql<number>`count(*) filter (where ${results.kind} in ('failed', 'missed'))`,
      mean: sql<number>`coalesce(avg(${results.tokensPerSecond}) ${ifMeasured}, 0)`,
    })
    .from(results)
    .where(condition)
    .groupBy(sql`1`)
    .orderBy(sql`1`)
  return rows.map(({ at, verified, failed, mean }) => ({
    at: iso(at),
    verified: Number(verified),
    failed: Number(failed),
    meanTokensPerSecond: Number(mean),
  }))
}

function summarizeVerdicts(counts: readonly ResultCount[]): ModelReport['verdicts'] {
  const total = (kind: string) =>
    counts.filter((entry) => entry.kind === kind).reduce((sum, { count }) => sum + count, 0)
  const failed = counts.filter(({ kind }) => kind === 'failed')
  return {
    verified: total('verified'),
    inconclusive: total('inconclusive'),
    failed: Object.fromEntries(failed.map(({ cause, count }) => [cause ?? '', count])),
  }
}

function spreadOf(values: readonly number[] | null | undefined): z.output<typeof spread> | null {
  const [p5, p50, p95] = values ?? []
  return p5 === undefined || p50 === undefined || p95 === undefined ? null : { p5, p50, p95 }
}

/** Drivers return raw timestamps as text or as Date. */
function iso(at: string | Date): string {
  return new Date(at).toISOString()
}
