import { and, eq, gte, type SQL, sql } from 'drizzle-orm'
import type { Database } from './database.js'
import { readEvidence, readEvidencePairs } from './evidence-queries.js'
import type { MinerReport, ModelReport } from './report-document.js'
import {
  countResults,
  type ResultCount,
  readFailures,
  readNewestUid,
  readSpread,
  readTrend,
  readWindow,
} from './report-queries.js'

export interface ReportFilter {
  /** A uid or a hotkey; undefined for all miners. */
  readonly miner?: string | undefined
  /** Only results since this time. */
  readonly since: Date
  /** Only results of the validator with this hotkey; several may share a PostgreSQL database. */
  readonly validator?: string | undefined
}

/**
 * Causes of the rows of rounds without a verdict of their own, because the miner sat them out or its answer was not checked;
 * their kind is `sat-out` with a speed, or `missed`.
 */
const STILL_STREAMING = 'STILL_STREAMING'
const UNCHECKED = 'UNCHECKED'

/** A miner and a model that have results or evidence, with the times of the first and the last. */
type Group = { hotkey: string; model: string; first: number; last: number }

/** Reports on the matching miners, sorted by uid; a hotkey is listed under its latest uid. */
export async function reportMiners(database: Database, filter: ReportFilter): Promise<MinerReport[]> {
  const withResults = await readGroups(database, filter)
  const groups = [...withResults, ...(await readEvidenceGroups(database, filter, withResults))]
  const byHotkey = new Map<string, Group[]>()
  for (const group of groups) byHotkey.set(group.hotkey, [...(byHotkey.get(group.hotkey) ?? []), group])
  const miners: MinerReport[] = []
  for (const [hotkey, own] of byHotkey) {
    const models: ModelReport[] = []
    for (const { model } of own) models.push(await reportModel(database, hotkey, model, filter))
    miners.push({
      uid: (await readUid(database, hotkey, filter)) ?? 0,
      hotkey,
      from: new Date(Math.min(...own.map(({ first }) => first))).toISOString(),
      to: new Date(Math.max(...own.map(({ last }) => last))).toISOString(),
      models,
    })
  }
  return miners.sort((a, b) => a.uid - b.uid)
}

async function readGroups(database: Database, filter: ReportFilter): Promise<Group[]> {
  const { results } = database.tables
  const rows = await database.all<Group>(sql`
    select ${results.hotkey} as hotkey, ${results.model} as model,
      min(${database.milliseconds(results.at)}) as first, max(${database.milliseconds(results.at)}) as last
    from ${results} where ${conditionOf(database, filter)}
    group by ${results.hotkey}, ${results.model} order by ${results.hotkey}, ${results.model}`)
  return rows
}

/**
 * Miners and models with evidence in the period but without results, for answers to users' requests are evidence too. Evidence
 * does not know uids: a miner without any result is left out.
 */
async function readEvidenceGroups(
  database: Database,
  filter: ReportFilter,
  known: readonly Group[],
): Promise<Group[]> {
  const keys = new Set(known.map(({ hotkey, model }) => `${hotkey} ${model}`))
  const groups: Group[] = []
  for (const pair of await readEvidencePairs(database, filter)) {
    if (keys.has(`${pair.hotkey} ${pair.model}`)) continue
    const uid = await readUid(database, pair.hotkey, filter)
    const isAsked = filter.miner === undefined || [String(uid), pair.hotkey].includes(filter.miner)
    if (uid !== undefined && isAsked) groups.push(pair)
  }
  return groups
}

/** Of the newest result that the filter selects, or else of the newest one of the hotkey. */
async function readUid(
  database: Database,
  hotkey: string,
  filter: ReportFilter,
): Promise<number | undefined> {
  const { results } = database.tables
  const own = eq(results.hotkey, hotkey)
  return (
    (await readNewestUid(database, and(own, conditionOf(database, filter)))) ??
    (await readNewestUid(
      database,
      and(own, filter.validator === undefined ? undefined : eq(results.validator, filter.validator)),
    ))
  )
}

function conditionOf({ tables: { results } }: Database, { miner, since, validator }: ReportFilter) {
  return and(
    gte(results.at, since),
    validator === undefined ? undefined : eq(results.validator, validator),
    miner === undefined
      ? undefined
      : /^\d{1,5}$/.test(miner)
        ? eq(results.uid, Number(miner))
        : eq(results.hotkey, miner),
  )
}

async function reportModel(
  database: Database,
  hotkey: string,
  model: string,
  { validator, since }: ReportFilter,
): Promise<ModelReport> {
  const { results } = database.tables
  const ofValidator = validator === undefined ? undefined : eq(results.validator, validator)
  const ever = and(eq(results.hotkey, hotkey), eq(results.model, model), ofValidator)
  const inPeriod: SQL | undefined = and(ever, gte(results.at, since))
  const counts = await countResults(database, inPeriod)
  const evidence = await readEvidence(database, { hotkey, model, since, validator })
  return {
    model,
    window: await readWindow(database, ever),
    verdicts: summarizeVerdicts(counts),
    notServing: countRows(counts, ({ kind, cause }) => kind === 'missed' && !isSettledLater(cause)),
    satOut: countRows(counts, ({ cause }) => cause === STILL_STREAMING),
    unchecked: countRows(counts, ({ cause }) => cause === UNCHECKED),
    tokensPerSecond: await readSpread(database, results.tokensPerSecond, inPeriod),
    timeToFirstTokenMs: await readSpread(database, results.timeToFirstTokenMs, inPeriod),
    lastFailures: await readFailures(database, inPeriod),
    trend: await readTrend(database, inPeriod),
    ...(evidence && { evidence }),
  }
}

function isSettledLater(cause: string | null): boolean {
  return cause === STILL_STREAMING || cause === UNCHECKED
}

function countRows(counts: readonly ResultCount[], matches: (entry: ResultCount) => boolean): number {
  return counts.filter(matches).reduce((sum, { count }) => sum + count, 0)
}

function summarizeVerdicts(counts: readonly ResultCount[]): ModelReport['verdicts'] {
  const failed = counts.filter(({ kind }) => kind === 'failed')
  return {
    verified: countRows(counts, ({ kind }) => kind === 'verified'),
    inconclusive: countRows(counts, ({ kind }) => kind === 'inconclusive'),
    failed: Object.fromEntries(failed.map(({ cause, count }) => [cause ?? '', count])),
  }
}
