import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { Batch, Database, Query, ResultRow } from './database.js'
import * as tables from './postgres-tables.js'

/** Key of the advisory lock that keeps two validators on one PostgreSQL server from migrating at the same time. */
const LOCK_KEY = 4_404_010

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation). */
const DATA_ERROR = /^2[23]/

interface RowsOf<Row> {
  readonly rows: Row[]
}

interface Rows extends PgQueryResultHKT {
  readonly type: RowsOf<this['row']>
}

/** Connects to a PostgreSQL server; the drivers are loaded on first use. @throws as connectPostgres */
export async function openPostgres(url: string): Promise<Database> {
  const [{ drizzle }, { connectPostgres }] = await Promise.all([
    import('drizzle-orm/node-postgres'),
    import('./postgres.js'),
  ])
  const pool = await connectPostgres(url)
  const database = drizzle(pool)
  return {
    kind: 'postgres',
    tables,
    all: queryOf(database),
    insert: (batch) => insert(database, batch),
    exclusively: (work) =>
      database.transaction(async (transaction) => {
        await transaction.execute(sql`select pg_advisory_xact_lock(${LOCK_KEY})`)
        return work(queryOf(transaction))
      }),
    // microseconds are rounded to the milliseconds that were written
    milliseconds: (column) => sql`round(extract(epoch from ${column}) * 1000)::float8`,
    hasTable: (name) => sql`select to_regclass(${name}) is not null as found`,
    isRowError: (error) => DATA_ERROR.test(stateOf(error)),
    close: () => pool.end(),
  }
}

function queryOf(database: PgDatabase<Rows>): Query {
  return async <Row extends Record<string, unknown>>(query: Parameters<Query>[0]) =>
    (await database.execute<Row>(query)).rows
}

async function insert(database: PgDatabase<Rows>, { results, weights, evidence }: Batch): Promise<void> {
  await database.transaction(async (transaction) => {
    if (results.length > 0) await transaction.execute(insertionOf(results))
    if (weights.length > 0) await transaction.insert(tables.weights).values([...weights])
    if (evidence.length > 0) await transaction.insert(tables.evidence).values([...evidence])
  })
}

/** One list per column: a statement with a parameter per value takes long to build, on the thread that times answers. */
function insertionOf(rows: readonly ResultRow[]): SQL {
  const columns = Object.entries(getTableColumns(tables.results)).filter(([key]) => key !== 'id')
  const names = columns.map(([, column]) => sql.identifier(column.name))
  const lists = columns.map(([key, column]) => {
    const values = rows.map((row): unknown => {
      const value: unknown = Reflect.get(row, key)
      return value === null || value === undefined ? null : column.mapToDriverValue(value)
    })
    return sql`${sql.param(values)}::${sql.raw(column.getSQLType())}[]`
  })
  const comma = sql`, `
  return sql`insert into ${tables.results} (${sql.join(names, comma)}) select * from unnest(${sql.join(lists, comma)})`
}

function stateOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {}
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}
