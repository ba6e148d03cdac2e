import { getTableColumns, type SQL, sql, type Table } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import type { Database, Query, Tables } from './database.js'

/** Key of the advisory lock that keeps two processes on one PostgreSQL server from migrating at the same time. */
const LOCK_KEY = 4_404_010

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation). */
const DATA_ERROR = /^2[23]/
/** SQLSTATE serialization_failure and deadlock_detected. */
const CONTENTION = /^40(001|P01)$/

interface RowsOf<Row> {
  readonly rows: Row[]
}

interface Rows extends PgQueryResultHKT {
  readonly type: RowsOf<this['row']>
}

/** Connects to a PostgreSQL server; the drivers are loaded on first use. @throws as connectPostgres */
export async function openPostgres<T extends Tables>(url: string, tables: T): Promise<Database<T>> {
  const [{ drizzle }, { connectPostgres }] = await Promise.all([
    import('drizzle-orm/node-postgres'),
    import('./postgres.js'),
  ])
  const pool = await connectPostgres(url)
  const database: PgDatabase<Rows> = drizzle(pool)
  const transaction: Database['transaction'] = (work) =>
    database.transaction((transaction) => work(queryOf(transaction)))
  return {
    kind: 'postgres',
    tables,
    all: queryOf(database),
    insert: (batch) =>
      transaction(async (all) => {
        for (const [name, rows] of Object.entries<readonly object[] | undefined>(batch)) {
          const table = tables[name]
          if (table !== undefined && rows !== undefined && rows.length > 0)
            await all(insertionOf(table, rows))
        }
      }),
    transaction,
    exclusively: (work) =>
      transaction(async (all) => {
        await all(sql`select pg_advisory_xact_lock(${LOCK_KEY})`)
        return work(all)
      }),
    // microseconds are rounded to the milliseconds that were written
    milliseconds: (column) => sql`round(extract(epoch from ${column}) * 1000)::float8`,
    hasTable: (name) => sql`select to_regclass(${name}) is not null as found`,
    isRowError: (error) => DATA_ERROR.test(stateOf(error)),
    isContention: (error) => CONTENTION.test(stateOf(error)),
    close: () => pool.end(),
  }
}

function queryOf(database: PgDatabase<Rows>): Query {
  return async <Row extends Record<string, unknown>>(query: Parameters<Query>[0]) =>
    (await database.execute<Row>(query)).rows
}

/** One list per column: a statement with a parameter per value takes long to build, on the thread that times answers. */
function insertionOf(table: Table, rows: readonly object[]): SQL {
  const columns = Object.entries(getTableColumns(table)).filter(([key]) => key !== 'id')
  const names = columns.map(([, column]) => sql.identifier(column.name))
  const lists = columns.map(([key, column]) => {
    const values = rows.map((row): unknown => {
      const value: unknown = Reflect.get(row, key)
      return value === null || value === undefined ? null : column.mapToDriverValue(value)
    })
    return sql`${sql.param(values)}::${sql.raw(column.getSQLType())}[]`
  })
  const comma = sql`, `
  return sql`insert into ${table} (${sql.join(names, comma)}) select * from unnest(${sql.join(lists, comma)})`
}

function stateOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {}
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}
