import { type SQL, sql } from 'drizzle-orm'
import type { Database } from '../database/index.js'
import { KEY_COLUMNS, type KeyRow, keyOf, LIMIT_COLUMNS, numberOf } from './key-row.js'
import { createKeyId, createSecret, hashSecret } from './secret.js'
import type { ApiKey, KeyLimits } from './types.js'

export interface NewKey {
  readonly name: string
  readonly limits: KeyLimits
  readonly isRetained: boolean
  readonly createdAtMs: number
}

/** A key and what it has used. */
export interface ListedKey extends ApiKey {
  /** Tokens debited since it was created. */
  readonly spentTokens: number
  /** Requests that run now. */
  readonly running: number
}

/** Changes of a key; null removes a limit, and what is absent stays as it is. */
export type KeyChanges = {
  readonly [Name in keyof KeyLimits]?: KeyLimits[Name] | null
} & { readonly isRetained?: boolean }

/** Stores a new key. @returns it with its secret, which cannot be read again */
export async function createKey(
  database: Database,
  { name, limits, isRetained, createdAtMs }: NewKey,
): Promise<{ readonly key: ApiKey; readonly secret: string }> {
  const id = createKeyId()
  const secret = createSecret()
  const values = columnsOf({ ...limits, isRetained })
  const names = values.map(([column]) => sql.identifier(column))
  await database.all(sql`
    insert into hub_keys (id, secret_hash, name, created_at, ${sql.join(names, sql`, `)})
    values (${id}, ${hashSecret(secret)}, ${name}, ${createdAtMs}, ${sql.join(
      values.map(([, value]) => sql`${value}`),
      sql`, `,
    )})`)
  return { key: { id, name, limits, isRetained, createdAtMs }, secret }
}

/** All keys, the oldest first. */
export function listKeys(database: Database): Promise<ListedKey[]> {
  return readKeys(database, sql`true`)
}

/** @returns the key, which from now on is refused; undefined when there is none with this id */
export async function revokeKey(
  database: Database,
  id: string,
  nowMs: number,
): Promise<ListedKey | undefined> {
  await database.all(sql`update hub_keys set revoked_at = ${nowMs} where id = ${id} and revoked_at is null`)
  return readKey(database, id)
}

/** @returns the key with its new limits, which hold from the next request; undefined when there is none with this id */
export async function changeKey(
  database: Database,
  id: string,
  changes: KeyChanges,
): Promise<ListedKey | undefined> {
  const sets = columnsOf(changes).map(([column, value]) => sql`${sql.identifier(column)} = ${value}`)
  if (sets.length > 0)
    await database.all(sql`update hub_keys set ${sql.join(sets, sql`, `)} where id = ${id}`)
  return readKey(database, id)
}

async function readKey(database: Database, id: string): Promise<ListedKey | undefined> {
  const [key] = await readKeys(database, sql`id = ${id}`)
  return key
}

async function readKeys(database: Database, condition: SQL): Promise<ListedKey[]> {
  const running = sql`select count(*) from hub_reservations where key_id = hub_keys.id`
  const rows = await database.all<KeyRow & { running: number }>(sql`
    select ${KEY_COLUMNS}, ${numberOf(sql`(${running})`)} as running from hub_keys
    where ${condition} order by hub_keys.created_at, id`)
  return rows.map((row) => ({ ...keyOf(row), spentTokens: row.spent_tokens, running: row.running }))
}

/** Columns and values of the members that are present. */
function columnsOf({ isRetained, ...limits }: KeyChanges): [column: string, value: string | number | null][] {
  const columns = Object.entries(LIMIT_COLUMNS).flatMap(
    ([name, column]): [string, string | number | null][] => {
      const value = limits[name as keyof KeyLimits]
      if (value === undefined) return []
      return [[column, typeof value === 'object' && value !== null ? JSON.stringify(value) : value]]
    },
  )
  return isRetained === undefined ? columns : [...columns, ['is_retained', isRetained ? 1 : 0]]
}
