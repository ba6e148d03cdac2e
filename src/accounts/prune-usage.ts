import { sql } from 'drizzle-orm'
import { type Clock, every } from '../kernel/index.js'
import type { AccountsConnection } from './connection.js'
import { timeOf } from './time.js'

/** Rows deleted per statement, so that none of them takes long. */
const PORTION_ROWS = 5000
const INTERVAL_MS = 600_000

interface PruneOptions {
  readonly connection: AccountsConnection
  readonly clock: Clock
  readonly signal: AbortSignal
  /** 0: nothing is deleted. */
  readonly retentionMs: number
}

/** Deletes usage of hours that began longer ago, until the signal aborts. What keys may still use does not depend on these rows. */
export async function keepUsagePruned(options: PruneOptions): Promise<void> {
  const { clock, signal, retentionMs } = options
  if (retentionMs === 0) return
  const prune = async () => {
    while (!signal.aborted && (await prunePortion(options)) === PORTION_ROWS);
  }
  // the connection has logged the failure
  await every(clock, INTERVAL_MS, signal, prune, () => {})
}

/** @returns how many rows it deleted */
function prunePortion({ connection, clock, retentionMs }: PruneOptions): Promise<number> {
  return connection.use(async (database) => {
    const oldest = sql`${timeOf(database, clock)} - ${retentionMs}`
    // other hubs delete the same rows, perhaps in another order
    const lock = database.kind === 'postgres' ? sql`for update skip locked` : sql``
    const rows = await database.all(sql`
      delete from hub_usage where (key_id, hour, model) in (
        select key_id, hour, model from hub_usage where hour < ${oldest} order by hour limit ${PORTION_ROWS} ${lock}
      ) returning hour`)
    return rows.length
  })
}
