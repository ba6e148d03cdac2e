import { and, desc, eq, gte, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from './database.js'
import { results } from './schema.js'

const spread = z.object({ p5: z.number(), p50: z.number(), p95: z.number() })

/** Why a miner has its score, for one model. Times in milliseconds, speeds in tokens per second. */
export const modelReport = z.object({
  model: z.string(),
  /** The last 15 results that count, also from before the period, oldest first: tokens per second, or null for a miss. */
  window: z.array(z.number().nullable()),
  verdicts: z.object({
    verified: z.number(),
    inconclusive: z.number(),
    failed: z.record(z.string(), z.number()),
  }),
  /** Misses in the windows without an answer: the miner did not list the model when it was asked. */
  notServing: z.number(),
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
  /** A uid, a hotkey, or everybody. */
  readonly miner?: string | undefined
  /** Only results since then, wall clock. */
  readonly since: Date
  /** Only what the validator of this hotkey saw: several may share a Postgres. */
  readonly validator?: string | undefined
}

const WINDOW = 15
const FAILURES = 5

/** Reports on the miners that match, by uid; the uid is the one a hotkey had last. */
export async function reportMiners(database: Database, filter: ReportFilter): Promise<MinerReport[]> {
  const seen = and(gte(results.at, filter.since), validatorCondition(filter.validator))
  const wanted = and(seen, minerCondition(filter.miner))
  const groups = await database
    .select({
      hotkey: results.hotkey,
      model: results.model,
      uid: sql<number>`(array_agg(${results.uid} order by ${results.at} desc))[1]`,
      from: sql<string | Date>`min(${results.at})`,
      to: sql<string | Date>`max(${results.at})`,
    })
    .from(results)
    .where(wanted)
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
  const one = and(ever, gte(results.at, since))
  const verified = sql`filter (where ${results.kind} = 'verified')`
  const spreadOf = (column: SQL) =>
    sql<
      number[] | null
    >`percentile_cont(array[0.05, 0.5, 0.95]) within group (order by ${column}) ${verified}`
  const [counts, [spreads], window, failures, trend] = [
    await database
      .select({ kind: results.kind, cause: results.cause, count: sql<number>`count(*)::int` })
      .from(results)
      .where(one)
      .groupBy(results.kind, results.cause),
    await database
      .select({
        speed: spreadOf(sql`${results.tokensPerSecond}`),
        first: spreadOf(sql`${results.timeToFirstTokenMs}`),
      })
      .from(results)
      .where(one),
    await database
      .select({ kind: results.kind, tokensPerSecond: results.tokensPerSecond })
      .from(results)
      .where(and(ever, sql`${results.kind} <> 'inconclusive'`))
      .orderBy(desc(results.at), desc(results.id))
      .limit(WINDOW),
    await database
      .select()
      .from(results)
      .where(and(one, eq(results.kind, 'failed')))
      .orderBy(desc(results.at), desc(results.id))
      .limit(FAILURES),
    await database
      .select({
        at: sql<string | Date>`date_trunc('hour', ${results.at})`,
        verified: sql<number>`count(*) ${verified}`,
        failed: sql<number>`count(*) filter (where ${results.kind} in ('failed', 'missed'))`,
        mean: sql<number>`coalesce(avg(${results.tokensPerSecond}) ${verified}, 0)`,
      })
      .from(results)
      .where(one)
      .groupBy(sql`1`)
      .orderBy(sql`1`),
  ]
  return {
    model,
    window: window
      .map(({ kind, tokensPerSecond }) => (kind === 'verified' ? tokensPerSecond : null))
      .reverse(),
    verdicts: countVerdicts(counts),
    notServing: counts.find(({ kind }) => kind === 'missed')?.count ?? 0,
    tokensPerSecond: readSpread(spreads?.speed),
    timeToFirstTokenMs: readSpread(spreads?.first),
    lastFailures: failures.map(({ at, block, cause, detail, tokens }) => ({
      at: at.toISOString(),
      block,
      cause: cause ?? '',
      detail: detail ?? '',
      tokens,
    })),
    trend: trend.map(({ at, verified: good, failed, mean }) => ({
      at: iso(at),
      verified: Number(good),
      failed: Number(failed),
      meanTokensPerSecond: Number(mean),
    })),
  }
}

function countVerdicts(
  counts: readonly { kind: string; cause: string | null; count: number }[],
): ModelReport['verdicts'] {
  const total = (kind: string) =>
    counts.filter((entry) => entry.kind === kind).reduce((sum, { count }) => sum + count, 0)
  const failed = counts.filter(({ kind }) => kind === 'failed')
  return {
    verified: total('verified'),
    inconclusive: total('inconclusive'),
    failed: Object.fromEntries(failed.map(({ cause, count }) => [cause ?? '', count])),
  }
}

function readSpread(values: readonly number[] | null | undefined): z.output<typeof spread> | null {
  const [p5, p50, p95] = values ?? []
  return p5 === undefined || p50 === undefined || p95 === undefined ? null : { p5, p50, p95 }
}

/** Drivers give raw timestamps as text or Date. */
function iso(at: string | Date): string {
  return new Date(at).toISOString()
}
