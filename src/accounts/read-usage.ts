import { and, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/index.js'
import { HOUR_MS } from './balance.js'
import { numberOf } from './key-row.js'

export interface UsageFilter {
  /** In milliseconds since 1970; counted are the hour of the first moment and those that begin before the second. */
  readonly sinceMs: number
  readonly untilMs: number
  readonly keyId?: string | undefined
}

/** What a key used of a model in an hour of UTC. */
export interface UsageRow {
  readonly hourMs: number
  readonly keyId: string
  readonly name: string
  readonly model: string
  readonly requests: number
  readonly promptTokens: number
  readonly completionTokens: number
  /** Charged for requests whose replica was killed before it could settle them. */
  readonly unsettledTokens: number
}

/** Usage by hour, key and model, in this order. */
export function readUsage(database: Database, { sinceMs, untilMs, keyId }: UsageFilter): Promise<UsageRow[]> {
  const condition = and(
    sql`hour >= ${Math.floor(sinceMs / HOUR_MS) * HOUR_MS}`,
    sql`hour < ${untilMs}`,
    keyId === undefined ? undefined : sql`key_id = ${keyId}`,
  )
  const number = (column: string, name: string): SQL =>
    sql`${numberOf(sql.identifier(column))} as ${sql.identifier(name)}`
  return database.all<UsageRow & Record<string, unknown>>(sql`
    select ${number('hour', 'hourMs')}, key_id as ${sql.identifier('keyId')}, hub_keys.name as name, model,
      ${number('requests', 'requests')}, ${number('prompt_tokens', 'promptTokens')},
      ${number('completion_tokens', 'completionTokens')}, ${number('unsettled_tokens', 'unsettledTokens')}
    from hub_usage join hub_keys on hub_keys.id = key_id
    where ${condition} order by hour, key_id, model`)
}
