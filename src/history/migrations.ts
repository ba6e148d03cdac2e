import { type Migration, migrate as migrateSchema } from '../database/index.js'
import type { Database } from './database.js'

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

/** Migrates the database to the schema of this release. @returns how many migrations ran */
export async function migrate(
  database: Database,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<number> {
  return migrateSchema(database, 'targon_migrations', migrations)
}
