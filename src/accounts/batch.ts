import { type SQL, sql } from 'drizzle-orm'
import type { Database, Query } from '../database/index.js'
import type { Clock } from '../kernel/index.js'
import { Balance } from './balance.js'
import { KEY_COLUMNS, type KeyRow, numberOf, stateOf } from './key-row.js'
import { timeOf } from './time.js'
import type { Refusal, Use } from './types.js'
import { type Debit, writeUsage } from './write-usage.js'

/** A reservation that a request asks for. */
export interface Wanted {
  readonly id: string
  readonly model: string
  /** The most that the request can use. */
  readonly tokens: number
}

/** What is done for one key in one transaction. */
export interface Batch {
  readonly keyId: string
  /** The replica whose reservations these are. */
  readonly owner: string
  readonly leaseMs: number
  /** Whether expired reservations of other replicas are debited. */
  readonly mayExpire: boolean
  /** Ended requests by the id of their reservation; undefined for one that never started. */
  readonly settled: ReadonlyMap<string, Use | undefined>
  readonly wanted: readonly Wanted[]
  /** Called when the reservations are about to be committed; a failure before has written none. */
  readonly onCommit: () => void
}

/** The server ends the transaction of a replica that is frozen for this long, so that the others can use the key. */
const FROZEN_MS = 5000

type Removed = { id: string; model: string; tokens: number }

/**
 * Runs one batch with the row of the key locked, so that no other replica decides at the same time. Repeating it after an unknown
 * outcome is safe for `settled`: a reservation is debited by the transaction that deletes it.
 *
 * @returns one answer per entry of `wanted`, in order; undefined when it is reserved
 */
export async function runBatch(
  database: Database,
  clock: Pick<Clock, 'now'>,
  batch: Batch,
): Promise<(Refusal | undefined)[]> {
  const now = timeOf(database, clock)
  return database.transaction(async (all) => {
    const key = await lockKey(database, all, batch.keyId)
    const removed = await removeEnded(all, batch, now)
    const { nowMs, ...held } = await readHeld(all, batch.keyId, now)
    const debits = removed.flatMap((one) => debitOf(one, batch))
    await writeUsage(all, batch.keyId, nowMs, debits)
    if (!key) return batch.wanted.map(() => ({ kind: 'refused', reason: 'revoked' }))
    const balance = new Balance(stateOf(key), held, nowMs)
    for (const { charged } of debits) balance.debit(charged)
    const refusals = batch.wanted.map(({ model, tokens }) => balance.reserve(model, tokens))
    const accepted = batch.wanted.filter((_, index) => refusals[index] === undefined)
    await insertReservations(all, batch, accepted, now)
    if (accepted.length > 0 || debits.length > 0) await updateKey(all, batch.keyId, balance)
    batch.onCommit()
    return refusals
  })
}

async function lockKey({ kind }: Database, all: Query, keyId: string): Promise<KeyRow | undefined> {
  // an SQLite transaction has the whole file locked
  const isShared = kind === 'postgres'
  const lock = isShared ? sql`for update` : sql``
  const limit = isShared
    ? sql`, set_config('idle_in_transaction_session_timeout', ${String(FROZEN_MS)}, true) as frozen_ms`
    : sql``
  const [row] = await all<KeyRow>(
    sql`select ${KEY_COLUMNS}${limit} from hub_keys where id = ${keyId} ${lock}`,
  )
  return row
}

/** Deletes the reservations that the batch settles and those of replicas that have stopped extending them. */
async function removeEnded(all: Query, batch: Batch, now: SQL): Promise<Removed[]> {
  const conditions: SQL[] = []
  if (batch.settled.size > 0) conditions.push(sql`id in ${[...batch.settled.keys()]}`)
  // a replica knows which of its own requests still run, also when it could not extend them for a while
  if (batch.mayExpire) conditions.push(sql`(expires_at <= ${now} and owner <> ${batch.owner})`)
  if (conditions.length === 0) return []
  return all<Removed>(sql`
    delete from hub_reservations where key_id = ${batch.keyId} and (${sql.join(conditions, sql` or `)})
    returning id, model, ${numberOf(sql`tokens`)} as tokens`)
}

/** Use is at most what was reserved: a miner may state more. An expired reservation is debited in full. */
function debitOf({ id, model, tokens }: Removed, { settled }: Batch): Debit[] {
  if (!settled.has(id))
    return [{ model, promptTokens: 0, completionTokens: 0, unsettledTokens: tokens, charged: tokens }]
  const use = settled.get(id)
  if (use === undefined) return []
  const completionTokens = Math.min(use.completionTokens, tokens)
  const promptTokens = Math.min(use.promptTokens, tokens - completionTokens)
  return [
    { model, promptTokens, completionTokens, unsettledTokens: 0, charged: promptTokens + completionTokens },
  ]
}

async function readHeld(all: Query, keyId: string, now: SQL) {
  const [row] = await all<{ requests: number; tokens: number; time: number }>(sql`
    select ${numberOf(sql`count(*)`)} as requests, ${numberOf(sql`coalesce(sum(tokens), 0)`)} as tokens,
      ${numberOf(now)} as time
    from hub_reservations where key_id = ${keyId}`)
  return { requests: row?.requests ?? 0, tokens: row?.tokens ?? 0, nowMs: row?.time ?? 0 }
}

async function insertReservations(
  all: Query,
  { keyId, owner, leaseMs }: Batch,
  accepted: readonly Wanted[],
  now: SQL,
): Promise<void> {
  if (accepted.length === 0) return
  const rows = accepted.map(
    ({ id, model, tokens }) => sql`(${id}, ${keyId}, ${model}, ${tokens}, ${owner}, ${now} + ${leaseMs})`,
  )
  await all(sql`
    insert into hub_reservations (id, key_id, model, tokens, owner, expires_at) values ${sql.join(rows, sql`, `)}`)
}

async function updateKey(all: Query, keyId: string, balance: Balance): Promise<void> {
  await all(sql`
    update hub_keys set spent_tokens = ${balance.spentTokens}, day = ${balance.day}, day_tokens = ${balance.dayTokens},
      minute = ${balance.minute}, minute_requests = ${balance.minuteRequests}
    where id = ${keyId}`)
}
