import type { Migration } from '../database/index.js'

/** The table that notes which of these migrations a database has; a validator's history may be in the same database. */
export const MIGRATIONS_TABLE = 'targon_hub_migrations'

/** Numbers are whole and below 2^53; times are milliseconds since 1970, days and minutes are counted from there in UTC. */
const tables = (integer: 'bigint' | 'integer', end: '' | 'strict') => [
  `create table hub_keys (
    id text primary key,
    secret_hash text not null unique,
    name text not null,
    created_at ${integer} not null,
    revoked_at ${integer},
    is_retained ${integer} not null,
    requests_per_minute ${integer},
    tokens_per_day ${integer},
    concurrent ${integer},
    budget_tokens ${integer},
    models text,
    expires_at ${integer},
    spent_tokens ${integer} not null default 0,
    day ${integer} not null default 0,
    day_tokens ${integer} not null default 0,
    minute ${integer} not null default 0,
    minute_requests ${integer} not null default 0
  ) ${end}`,
  `create table hub_reservations (
    id text primary key,
    key_id text not null,
    model text not null,
    tokens ${integer} not null,
    owner text not null,
    expires_at ${integer} not null
  ) ${end}`,
  'create index hub_reservations_key on hub_reservations (key_id)',
  'create index hub_reservations_owner on hub_reservations (owner)',
  `create table hub_usage (
    key_id text not null,
    hour ${integer} not null,
    model text not null,
    requests ${integer} not null,
    prompt_tokens ${integer} not null,
    completion_tokens ${integer} not null,
    unsettled_tokens ${integer} not null,
    primary key (key_id, hour, model)
  ) ${end}`,
]

/** By which old usage is found. */
const usageByHour = ['create index hub_usage_hour on hub_usage (hour)']

/** Applied in order, once each. Never change a released migration; append another. */
export const MIGRATIONS: readonly Migration[] = [
  { postgres: tables('bigint', ''), embedded: tables('integer', 'strict') },
  { postgres: usageByHour, embedded: usageByHour },
]
