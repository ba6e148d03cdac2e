import { sql } from 'drizzle-orm'
import type { Database } from './database.js'

/** Applied in order, once each. Never change a released migration; append another. */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `create table results (
      id bigserial primary key,
      at timestamptz not null,
      validator text not null,
      round integer not null,
      block integer not null,
      uid integer not null,
      hotkey text not null,
      model text not null,
      endpoint text not null,
      kind text not null,
      cause text,
      detail text,
      tokens integer not null,
      max_tokens integer not null,
      temperature double precision not null,
      seed integer,
      tokens_per_second double precision not null,
      time_to_first_token_ms double precision not null,
      total_ms double precision not null,
      burst_share double precision not null,
      stall_ms double precision not null
    )`,
    'create index results_miner on results (hotkey, model, at)',
    'create index results_at on results (at)',
    `create table weights (
      id bigserial primary key,
      at timestamptz not null,
      validator text not null,
      block integer not null,
      path text not null,
      entries jsonb not null
    )`,
  ],
]

/** Key of the advisory lock that keeps two validators on one PostgreSQL server from migrating at the same time. */
const LOCK_KEY = 4_404_010

/** Migrates the database to the schema of this release. @returns how many migrations ran */
export async function migrate(database: Database): Promise<number> {
  return database.transaction(async (transaction) => {
    await transaction.execute(sql`select pg_advisory_xact_lock(${LOCK_KEY})`)
    // "create … if not exists" would need the right to create even if the table exists
    const existing = await transaction.execute<{ found: boolean }>(
      sql`select to_regclass('targon_migrations') is not null as found`,
    )
    if (existing.rows[0]?.found !== true) {
      await transaction.execute(
        sql`create table targon_migrations (version integer primary key, at timestamptz not null default now())`,
      )
    }
    const done = await transaction.execute<{ version: number }>(
      sql`select coalesce(max(version), 0) as version from targon_migrations`,
    )
    const current = Number(done.rows[0]?.version ?? 0)
    for (const [index, statements] of MIGRATIONS.entries()) {
      if (index < current) continue
      for (const statement of statements) await transaction.execute(sql.raw(statement))
      await transaction.execute(sql`insert into targon_migrations (version) values (${index + 1})`)
    }
    return Math.max(0, MIGRATIONS.length - current)
  })
}
