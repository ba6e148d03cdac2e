import { randomUUID } from 'node:crypto'
import type { DatabasePlace } from '../database/index.js'
import { type Clock, DeadlineError, type Log, withDeadline } from '../kernel/index.js'
import { AccountsConnection, unavailable } from './connection.js'
import type { LaneContext } from './key-lane.js'
import { KeyLookup } from './key-lookup.js'
import { keepLeases } from './leases.js'
import { Ledger } from './ledger.js'
import { keepUsagePruned } from './prune-usage.js'
import { readSpend } from './read-spend.js'
import { LEASE_TIMES, type LeaseTimes } from './time.js'
import type { Accounts } from './types.js'

const CLOSE_TIMEOUT_MS = 5000
const READ_TIMEOUT_MS = 10_000

export interface AccountsOptions {
  readonly place: DatabasePlace
  readonly clock: Clock
  readonly log: Log
  /** How long usage is kept; 0: for ever. */
  readonly usageRetentionMs?: number
  /** Shorter in tests. */
  readonly times?: LeaseTimes
}

/**
 * Opens the keys for one replica of the hub; the database itself on first use, so that a hub starts while it is down.
 *
 * A replica that dies cannot say what its requests used: once their leases have expired, each is charged all that it had
 * reserved. So no token is spent twice, and each request is debited exactly once.
 */
export function openAccounts(options: AccountsOptions): Accounts {
  const { place, clock, log, times = LEASE_TIMES, usageRetentionMs = 0 } = options
  const connection = new AccountsConnection(place, clock, log)
  const ending = new AbortController()
  const context: LaneContext = {
    ...{ connection, clock, times, owner: randomUUID(), active: new Set(), signal: ending.signal },
  }
  const ledger = new Ledger(context)
  const lookup = new KeyLookup(connection, clock)
  const keeping = Promise.all([
    keepLeases(context, ledger),
    keepUsagePruned({ connection, clock, signal: ending.signal, retentionMs: usageRetentionMs }),
  ])
  return {
    find: (secret) => lookup.find(secret),
    reserve: (key, { model, tokens }, signal) => ledger.reserve(key.id, model, tokens, signal),
    spend: (most, signal) => {
      const read = () => connection.use((database) => readSpend(database, clock, most))
      return withDeadline(clock, 'reading what the API keys have used', READ_TIMEOUT_MS, signal, read).catch(
        (error: unknown) => {
          throw error instanceof DeadlineError ? unavailable(error) : error
        },
      )
    },
    trouble: () => connection.trouble,
    close: async () => {
      const finish = () => ledger.finish()
      await withDeadline(clock, 'settling the last requests', CLOSE_TIMEOUT_MS, undefined, finish).catch(
        (error: unknown) =>
          log.error(
            { event: 'accounts-unsettled', err: error, requests: context.active.size },
            'could not write what the last requests used; they are charged all that they had reserved',
          ),
      )
      ending.abort()
      const end = async () => {
        await connection.close()
        await keeping
      }
      await withDeadline(clock, 'closing the database of the keys', CLOSE_TIMEOUT_MS, undefined, end).catch(
        () => {},
      )
    },
  }
}
