import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { getTableColumns, type SQL, sql, type Table } from 'drizzle-orm'
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core'
import type { Database, Query, Tables } from './database.js'
import { isContention, isRowError } from './sqlite-error.js'
import { type Insertion, SqliteThread, type SqliteValue } from './sqlite-thread.js'

/**
 * Opens an SQLite file. Any number of processes may read it while one writes.
 *
 * @param isReadOnly the file must exist, and nothing is written; else it is created with its folder.
 * @throws SqliteError
 */
export async function openSqlite<T extends Tables>(
  file: string,
  tables: T,
  isReadOnly: boolean,
): Promise<Database<T>> {
  if (!isReadOnly) await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const thread = new SqliteThread()
  try {
    await thread.do({ kind: 'open', path: file, isReadOnly })
  } catch (error) {
    await thread.close()
    throw error
  }
  const alone = createQueue()
  const dialect = new SQLiteAsyncDialect()
  const run = (async (query) => {
    const { sql: text, params } = dialect.sqlToQuery(query)
    return thread.do({ kind: 'all', statement: { sql: text, parameters: params as SqliteValue[] } })
  }) as Query
  const transaction: Database['transaction'] = (work) =>
    alone(async () => {
      await run(sql`begin immediate`)
      try {
        const result = await work(run)
        await run(sql`commit`)
        return result
      } catch (error) {
        await run(sql`rollback`).catch(() => {})
        throw error
      }
    })
  return {
    kind: 'embedded',
    tables,
    all: <Row extends Record<string, unknown>>(query: SQL) => alone(() => run<Row>(query)),
    insert: (batch) =>
      alone(async () => {
        const insertions = Object.entries<readonly object[] | undefined>(batch).flatMap(([name, rows]) => {
          const table = tables[name]
          return table === undefined || rows === undefined || rows.length === 0
            ? []
            : [insertionOf(table, rows)]
        })
        await thread.do({ kind: 'write', insertions })
      }),
    transaction,
    exclusively: transaction,
    milliseconds: (column) => sql`${column}`,
    hasTable: (name) => sql`select count(*) > 0 as found from sqlite_master where name = ${name}`,
    isRowError,
    isContention,
    close: () => thread.close(),
  }
}

/** Runs one piece of work after the other: a query between the statements of a transaction would become part of it. */
function createQueue(): <R>(work: () => Promise<R>) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const run = last.then(work)
    last = run.catch(() => {})
    return run
  }
}

/** One prepared statement for all rows: building a statement for hundreds of rows would block the main thread. */
function insertionOf(table: Table, rows: readonly object[]): Insertion {
  const columns = Object.entries(getTableColumns(table)).filter(([key]) => key !== 'id')
  const names = columns.map(([, column]) => sql.identifier(column.name))
  const places = columns.map(() => sql`?`)
  const text = sql`insert into ${table} (${sql.join(names, sql`, `)}) values (${sql.join(places, sql`, `)})`
  return {
    sql: new SQLiteAsyncDialect().sqlToQuery(text).sql,
    rows: rows.map((row) =>
      columns.map(([key, column]) => {
        const value: unknown = Reflect.get(row, key)
        return value === null || value === undefined ? null : (column.mapToDriverValue(value) as SqliteValue)
      }),
    ),
  }
}
