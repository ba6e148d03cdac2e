import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/index.js'
import type { Clock } from '../kernel/index.js'

/**
 * SQL for the time by which leases expire and days begin, in milliseconds since 1970. Replicas on one PostgreSQL server share its
 * clock, those on one SQLite file that of their machine.
 */
export function timeOf({ kind }: Pick<Database, 'kind'>, clock: Pick<Clock, 'now'>): SQL {
  if (kind === 'postgres') return sql`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
  return sql`${Math.floor(clock.now())}`
}

/** How long reservations of a replica outlive it. */
export interface LeaseTimes {
  /** A reservation expires this long after it was last extended. */
  readonly leaseMs: number
  /** Time between two extensions. */
  readonly extendMs: number
  /**
   * A replica debits expired reservations of others only when the database has answered it for this long: after an outage of the
   * database the others first get the time to extend theirs.
   */
  readonly graceMs: number
}

export const LEASE_TIMES: LeaseTimes = { leaseMs: 30_000, extendMs: 5000, graceMs: 10_000 }
