import { and, eq, gte, type SQL, sql } from 'drizzle-orm'
import type { Database } from './database.js'
import type { EvidenceReport, StatisticEvidence } from './report-document.js'

/** Points of a plot, at most; three months by the hour. */
const MAX_POINTS = 2_200

type Point = { at: number; level: string; suspicion: number; enforced: number }
type Newest = {
  level: string
  enforces: number
  threshold: number
  dialect: string | null
  answers: number
  tokens: number
  sentence: string
  /** Text in SQLite. */
  statistics: string | StatisticEvidence[]
}

export interface EvidenceFilter {
  readonly hotkey: string
  readonly model: string
  readonly since: Date
  readonly validator?: string | undefined
}

/** A miner and a model with evidence in the period, and the times of its first and last row, in milliseconds since 1970. */
export type EvidencePair = { hotkey: string; model: string; first: number; last: number }

/** Every miner and model with evidence in the period; none in a database of a release that kept none. */
export async function readEvidencePairs(
  database: Database,
  { since, validator }: Pick<EvidenceFilter, 'since' | 'validator'>,
): Promise<EvidencePair[]> {
  const { evidence } = database.tables
  const condition = and(gte(evidence.at, since), ofValidator(database, validator))
  const [table] = await database.all<{ found: unknown }>(database.hasTable('evidence'))
  if (!table?.found) return []
  return await database.all<EvidencePair>(sql`
    select ${evidence.hotkey} as hotkey, ${evidence.model} as model,
      min(${database.milliseconds(evidence.at)}) as first, max(${database.milliseconds(evidence.at)}) as last
    from ${evidence} where ${condition}
    group by ${evidence.hotkey}, ${evidence.model} order by ${evidence.hotkey}, ${evidence.model}`)
}

function ofValidator({ tables: { evidence } }: Database, validator: string | undefined): SQL | undefined {
  return validator === undefined ? undefined : eq(evidence.validator, validator)
}

/** The evidence on a miner and model in the period; undefined without any, as in a database of a release that kept none. */
export async function readEvidence(
  database: Database,
  { hotkey, model, since, validator }: EvidenceFilter,
): Promise<EvidenceReport | undefined> {
  const { evidence } = database.tables
  const condition = and(
    eq(evidence.hotkey, hotkey),
    eq(evidence.model, model),
    gte(evidence.at, since),
    ofValidator(database, validator),
  )
  const [table] = await database.all<{ found: unknown }>(database.hasTable('evidence'))
  if (!table?.found) return undefined
  const newest = await readNewest(database, condition)
  if (!newest) return undefined
  const points = await database.all<Point>(sql`
    select ${database.milliseconds(evidence.at)} as at, ${evidence.level} as level,
      ${evidence.suspicion} as suspicion, ${evidence.enforced} as enforced
    from ${evidence} where ${condition}
    order by ${evidence.at} desc, ${evidence.id} desc limit ${MAX_POINTS}`)
  const { statistics, enforces, ...facts } = newest
  return {
    ...facts,
    enforces: enforces !== 0,
    statistics: typeof statistics === 'string' ? JSON.parse(statistics) : statistics,
    points: points.map((point) => ({ ...point, at: new Date(point.at).toISOString() })).reverse(),
  }
}

async function readNewest(database: Database, condition: SQL | undefined): Promise<Newest | undefined> {
  const { evidence } = database.tables
  const [row] = await database.all<Newest>(sql`
    select ${evidence.level} as level, ${evidence.enforces} as enforces, ${evidence.threshold} as threshold,
      ${evidence.dialect} as dialect, ${evidence.answers} as answers, ${evidence.tokens} as tokens,
      ${evidence.sentence} as sentence, ${evidence.statistics} as statistics
    from ${evidence} where ${condition} order by ${evidence.at} desc, ${evidence.id} desc limit 1`)
  return row
}
