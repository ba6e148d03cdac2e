import { sql } from 'drizzle-orm'
import type { Database } from '../database/index.js'
import type { Clock } from '../kernel/index.js'
import { DAY_MS } from './balance.js'
import { numberOf } from './key-row.js'
import { timeOf } from './time.js'
import type { KeySpend, Spend } from './types.js'

/** @param most keys that are listed one by one */
export async function readSpend(database: Database, clock: Pick<Clock, 'now'>, most: number): Promise<Spend> {
  const day = sql`cast(${timeOf(database, clock)} / ${sql.raw(String(DAY_MS))} as bigint)`
  // A clock that was set back leaves a day that is still to come, which the limits count as this one.
  const today = numberOf(sql`case when day >= ${day} then day_tokens else 0 end`)
  const column = (name: string, as: string) => sql`${numberOf(sql.identifier(name))} as ${sql.identifier(as)}`
  const keys = await database.all<KeySpend & Record<string, unknown>>(sql`
    select id, name, ${today} as ${sql.identifier('tokensToday')},
      ${column('tokens_per_day', 'tokensPerDay')}, ${column('spent_tokens', 'spentTokens')},
      ${column('budget_tokens', 'budgetTokens')}
    from hub_keys where revoked_at is null
    order by 3 desc, 5 desc, id limit ${sql.raw(String(most))}`)
  const [all] = await database.all<{ keys: number; tokens: number | null }>(sql`
    select ${numberOf(sql`count(*)`)} as keys, ${numberOf(sql`sum(${today})`)} as tokens
    from hub_keys where revoked_at is null`)
  const listed = keys.reduce((sum, { tokensToday }) => sum + tokensToday, 0)
  const others = {
    keys: Math.max(0, (all?.keys ?? 0) - keys.length),
    tokensToday: Math.max(0, (all?.tokens ?? 0) - listed),
  }
  return { keys, others }
}
