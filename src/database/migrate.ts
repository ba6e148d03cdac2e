import { sql } from 'drizzle-orm'
import type { Database, Query } from './database.js'

/** One change of the schema, in the SQL of each database. */
export interface Migration {
  readonly postgres: readonly string[]
  readonly embedded: readonly string[]
}

/** Where a database notes which migrations it has. */
const VERSIONS = {
  postgres: '(version integer primary key, at timestamptz not null default now())',
  embedded: '(version integer primary key, at integer not null default (unixepoch() * 1000)) strict',
} as const

/**
 * Applies the migrations that the database does not have yet, in order and in one transaction.
 *
 * @param noted the table that notes them; each schema in a database has its own.
 * @returns how many ran
 */
export async function migrate(
  database: Database,
  noted: string,
  migrations: readonly Migration[],
): Promise<number> {
  const { kind } = database
  // a database that is up to date needs neither a lock nor the right to create
  if (((await versionOf(database, noted, database.all)) ?? 0) >= migrations.length) return 0
  return database.exclusively(async (all) => {
    const version = await versionOf(database, noted, all)
    // "create … if not exists" would need the right to create even if the table exists
    if (version === undefined) await all(sql.raw(`create table ${noted} ${VERSIONS[kind]}`))
    const missing = [...migrations.entries()].slice(version ?? 0)
    for (const [index, migration] of missing) {
      for (const statement of migration[kind]) await all(sql.raw(statement))
      await all(sql`insert into ${sql.identifier(noted)} (version) values (${index + 1})`)
    }
    return missing.length
  })
}

/** The number of migrations that the database has; undefined when it is empty. Creates and changes nothing. */
export function schemaVersion(database: Database, noted: string): Promise<number | undefined> {
  return versionOf(database, noted, database.all)
}

async function versionOf(
  { hasTable }: Pick<Database, 'hasTable'>,
  noted: string,
  all: Query,
): Promise<number | undefined> {
  const [existing] = await all<{ found: boolean | number }>(hasTable(noted))
  if (!existing?.found) return undefined
  const [newest] = await all<{ version: number }>(
    sql`select coalesce(max(version), 0) as version from ${sql.identifier(noted)}`,
  )
  return newest?.version ?? 0
}
