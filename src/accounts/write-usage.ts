import { sql } from 'drizzle-orm'
import type { Query } from '../database/index.js'
import { HOUR_MS } from './balance.js'

/** What one ended request is charged, in tokens. */
export interface Debit {
  readonly model: string
  readonly promptTokens: number
  readonly completionTokens: number
  /** The whole reservation of a request whose replica was killed before it could settle it. */
  readonly unsettledTokens: number
  /** The sum. */
  readonly charged: number
}

type Sums = { requests: number; prompt: number; completion: number; unsettled: number }

/** Adds debits to the usage of a key in the current hour, by model; in the transaction that makes them. */
export async function writeUsage(
  all: Query,
  keyId: string,
  nowMs: number,
  debits: readonly Debit[],
): Promise<void> {
  if (debits.length === 0) return
  const byModel = new Map<string, Sums>()
  for (const { model, promptTokens, completionTokens, unsettledTokens } of debits) {
    const sums = byModel.get(model) ?? { requests: 0, prompt: 0, completion: 0, unsettled: 0 }
    byModel.set(model, {
      requests: sums.requests + 1,
      prompt: sums.prompt + promptTokens,
      completion: sums.completion + completionTokens,
      unsettled: sums.unsettled + unsettledTokens,
    })
  }
  const hour = Math.floor(nowMs / HOUR_MS) * HOUR_MS
  const rows = [...byModel].map(
    ([model, sums]) =>
      sql`(${keyId}, ${hour}, ${model}, ${sums.requests}, ${sums.prompt}, ${sums.completion}, ${sums.unsettled})`,
  )
  const added = ['requests', 'prompt_tokens', 'completion_tokens', 'unsettled_tokens'].map((name) => {
    const column = sql.identifier(name)
    return sql`${column} = hub_usage.${column} + excluded.${column}`
  })
  await all(sql`
    insert into hub_usage (key_id, hour, model, requests, prompt_tokens, completion_tokens, unsettled_tokens)
    values ${sql.join(rows, sql`, `)}
    on conflict (key_id, hour, model) do update set ${sql.join(added, sql`, `)}`)
}
