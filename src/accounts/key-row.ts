import { type Name, type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { KeyState } from './balance.js'
import type { ApiKey, KeyLimits } from './types.js'

/** A number of either database: the driver of PostgreSQL returns a bigint as text. */
export function numberOf(expression: SQL | Name): SQL {
  return sql`cast(${expression} as double precision)`
}

/** The limits of a key and the columns that hold them. */
export const LIMIT_COLUMNS = {
  requestsPerMinute: 'requests_per_minute',
  tokensPerDay: 'tokens_per_day',
  concurrent: 'concurrent',
  budgetTokens: 'budget_tokens',
  models: 'models',
  expiresAtMs: 'expires_at',
} as const satisfies Record<keyof KeyLimits, string>

const NUMBERS = [
  ...['requests_per_minute', 'tokens_per_day', 'concurrent', 'budget_tokens', 'expires_at', 'created_at'],
  ...['revoked_at', 'is_retained', 'spent_tokens', 'day', 'day_tokens', 'minute', 'minute_requests'],
]

/** The columns of `hub_keys` that a `KeyRow` has. */
export const KEY_COLUMNS = sql.join(
  [
    sql`id, name, models`,
    ...NUMBERS.map((name) => sql`${numberOf(sql.identifier(name))} as ${sql.identifier(name)}`),
  ],
  sql`, `,
)

export type KeyRow = {
  id: string
  name: string
  models: string | null
  requests_per_minute: number | null
  tokens_per_day: number | null
  concurrent: number | null
  budget_tokens: number | null
  expires_at: number | null
  created_at: number
  revoked_at: number | null
  is_retained: number
  spent_tokens: number
  day: number
  day_tokens: number
  minute: number
  minute_requests: number
}

export function keyOf(row: KeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    limits: limitsOf(row),
    isRetained: row.is_retained !== 0,
    createdAtMs: row.created_at,
    ...(row.revoked_at !== null && { revokedAtMs: row.revoked_at }),
  }
}

export function stateOf(row: KeyRow): KeyState {
  return {
    limits: limitsOf(row),
    ...(row.revoked_at !== null && { revokedAtMs: row.revoked_at }),
    spentTokens: row.spent_tokens,
    day: row.day,
    dayTokens: row.day_tokens,
    minute: row.minute,
    minuteRequests: row.minute_requests,
  }
}

const modelList = z.array(z.string())

function limitsOf(row: KeyRow): KeyLimits {
  return {
    ...(row.requests_per_minute !== null && { requestsPerMinute: row.requests_per_minute }),
    ...(row.tokens_per_day !== null && { tokensPerDay: row.tokens_per_day }),
    ...(row.concurrent !== null && { concurrent: row.concurrent }),
    ...(row.budget_tokens !== null && { budgetTokens: row.budget_tokens }),
    ...(row.models !== null && { models: modelList.parse(JSON.parse(row.models)) }),
    ...(row.expires_at !== null && { expiresAtMs: row.expires_at }),
  }
}
