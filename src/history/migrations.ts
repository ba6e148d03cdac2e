import { sql } from 'drizzle-orm'
import type { Database, Query } from './database.js'

/** One change of the schema, in the SQL of each database. */
export interface Migration {
  readonly postgres: readonly string[]
  readonly embedded: readonly string[]
}

/** Applied in order, once each. Never change a released migration; append another. */
export const MIGRATIONS: readonly Migration[] = [
  {
    postgres: [
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
    embedded: [
      `create table results (
        id integer primary key,
        at integer not null,
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
        temperature real not null,
        seed integer,
        tokens_per_second real not null,
        time_to_first_token_ms real not null,
        total_ms real not null,
        burst_share real not null,
        stall_ms real not null
      ) strict`,
      'create index results_miner on results (hotkey, model, at)',
      'create index results_at on results (at)',
      `create table weights (
        id integer primary key,
        at integer not null,
        validator text not null,
        block integer not null,
        path text not null,
        entries text not null check (json_valid(entries))
      ) strict`,
    ],
  },
  {
    postgres: [
      `create table evidence (
      id bigserial primary key,
      at timestamptz not null,
      validator text not null,
      hotkey text not null,
      model text not null,
      level text not null,
      enforces integer not null,
      suspicion double precision not null,
      enforced double precision not null,
      threshold double precision not null,
      answers double precision not null,
      tokens double precision not null,
      dialect text,
      sentence text not null,
      statistics jsonb not null
    )`,
      'create index evidence_miner on evidence (hotkey, model, at)',
      'create index evidence_at on evidence (at)',
    ],
    embedded: [
      `create table evidence (
        id integer primary key,
        at integer not null,
        validator text not null,
        hotkey text not null,
        model text not null,
        level text not null,
        enforces integer not null,
        suspicion real not null,
        enforced real not null,
        threshold real not null,
        answers real not null,
        tokens real not null,
        dialect text,
        sentence text not null,
        statistics text not null check (json_valid(statistics))
      ) strict`,
      'create index evidence_miner on evidence (hotkey, model, at)',
      'create index evidence_at on evidence (at)',
    ],
  },
]

/** Where the database notes which migrations it has. */
const VERSIONS = {
  postgres:
    'create table targon_migrations (version integer primary key, at timestamptz not null default now())',
  embedded:
    'create table targon_migrations (version integer primary key, at integer not null default (unixepoch() * 1000)) strict',
} as const

/** Migrates the database to the schema of this release. @returns how many migrations ran */
export async function migrate(
  database: Database,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<number> {
  const { kind } = database
  // a database that is up to date needs neither a lock nor the right to create
  if (((await versionOf(database, database.all)) ?? 0) >= migrations.length) return 0
  return database.exclusively(async (all) => {
    const version = await versionOf(database, all)
    // "create … if not exists" would need the right to create even if the table exists
    if (version === undefined) await all(sql.raw(VERSIONS[kind]))
    const missing = [...migrations.entries()].slice(version ?? 0)
    for (const [index, migration] of missing) {
      for (const statement of migration[kind]) await all(sql.raw(statement))
      await all(sql`insert into targon_migrations (version) values (${index + 1})`)
    }
    return missing.length
  })
}

/** The number of migrations that the database has; undefined when it is empty. */
async function versionOf({ hasTable }: Database, all: Query): Promise<number | undefined> {
  const [existing] = await all<{ found: boolean | number }>(hasTable('targon_migrations'))
  if (!existing?.found) return undefined
  const [newest] = await all<{ version: number }>(
    sql`select coalesce(max(version), 0) as version from targon_migrations`,
  )
  return newest?.version ?? 0
}
