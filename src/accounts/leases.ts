import { sql } from 'drizzle-orm'
import { every } from '../kernel/index.js'
import type { LaneContext } from './key-lane.js'
import type { Ledger } from './ledger.js'
import { timeOf } from './time.js'

/** Keys whose expired reservations one sweep debits. */
const SWEEP_KEYS = 200

/**
 * Extends the reservations of this replica and finds those of replicas that have died, until the signal aborts. It also notices
 * when the database stops or starts to answer while no request comes.
 */
export async function keepLeases(context: LaneContext, ledger: Ledger): Promise<void> {
  const { clock, times, signal } = context
  const job = async () => ledger.sweep(await renewLeases(context))
  // the connection has logged the failure
  await every(clock, times.extendMs, signal, job, () => {})
}

/** @returns the keys with expired reservations of other replicas */
async function renewLeases({
  connection,
  clock,
  owner,
  times,
  active,
}: LaneContext): Promise<readonly string[]> {
  const { leaseMs, graceMs } = times
  return connection.use(async (database) => {
    const now = timeOf(database, clock)
    // a row that another transaction has locked is being settled; waiting for it could end in a deadlock
    const lock = database.kind === 'postgres' ? sql`for update skip locked` : sql``
    if (active.size > 0)
      await database.all(sql`
        update hub_reservations set expires_at = ${now} + ${leaseMs}
        where id in (select id from hub_reservations where owner = ${owner} ${lock})`)
    const expired = await database.all<{ key_id: string }>(sql`
      select distinct key_id from hub_reservations where expires_at <= ${now} and owner <> ${owner} limit ${SWEEP_KEYS}`)
    return connection.usableForMs >= graceMs ? expired.map((row) => row.key_id) : []
  })
}
