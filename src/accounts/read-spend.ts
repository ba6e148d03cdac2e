import { type SQL, sql } from 'drizzle-orm'
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
  const today = sql`case when day >= ${day} then day_tokens else 0 end`
  const column = (name: string, as: string) => sql`${numberOf(sql.identifier(name))} as ${sql.identifier(as)}`
  const all = (expression: SQL, as: string) => sql`${numberOf(expression)} as ${sql.identifier(as)}`
  // One statement, so that all numbers are of the same moment.
  const rows = await database.all<KeySpend & Record<string, unknown> & { keys: number; all: number }>(sql`
    select id, name, ${all(today, 'tokensToday')},
      ${column('tokens_per_day', 'tokensPerDay')}, ${column('spent_tokens', 'spentTokens')},
      ${column('budget_tokens', 'budgetTokens')},
      ${all(sql`count(*) over ()`, 'keys')}, ${all(sql`sum(${today}) over ()`, 'all')}
    from hub_keys where revoked_at is null
    order by 3 desc, 5 desc, id limit ${sql.raw(String(most))}`)
  const listed = rows.reduce((sum, { tokensToday }) => sum + tokensToday, 0)
  const [first] = rows
  return {
    keys: rows.map(({ keys: _, all: __, ...key }) => key),
    others: {
      keys: first ? first.keys - rows.length : 0,
      tokensToday: first ? first.all - listed : 0,
    },
  }
}
