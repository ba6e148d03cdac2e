import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { getTableColumns, sql } from 'drizzle-orm'
import { SQLiteAsyncDialect } from 'drizzle-orm/sqlite-core'
import type { Database, Query } from './database.js'
import { isRowError } from './sqlite-error.js'
import * as tables from './sqlite-tables.js'
import { type Insertion, SqliteThread, type SqliteValue } from './sqlite-thread.js'

/**
 * Opens an SQLite file. Any number of processes may read it while one writes.
 *
 * @param isReadOnly the file must exist, and nothing is written; else it is created with its folder.
 * @throws SqliteError
 */
export async function openSqlite(file: string, isReadOnly: boolean): Promise<Database> {
  if (!isReadOnly) await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const thread = new SqliteThread()
  try {
    await thread.do({ kind: 'open', path: file, isReadOnly })
  } catch (error) {
    await thread.close()
    throw error
  }
  const dialect = new SQLiteAsyncDialect()
  const all = (async (query) => {
    const { sql: text, params } = dialect.sqlToQuery(query)
    return thread.do({ kind: 'all', statement: { sql: text, parameters: params as SqliteValue[] } })
  }) as Query
  return {
    kind: 'embedded',
    tables,
    all,
    insert: async ({ results, weights, evidence }) => {
      const insertions = [
        insertionOf(tables.results, results),
        insertionOf(tables.weights, weights),
        insertionOf(tables.evidence, evidence),
      ]
      await thread.do({ kind: 'write', insertions: insertions.filter(({ rows }) => rows.length > 0) })
    },
    exclusively: async (work) => {
      await all(sql`begin immediate`)
      try {
        const result = await work(all)
        await all(sql`commit`)
        return result
      } catch (error) {
        await all(sql`rollback`).catch(() => {})
        throw error
      }
    },
    milliseconds: (column) => sql`${column}`,
    hasTable: (name) => sql`select count(*) > 0 as found from sqlite_master where name = ${name}`,
    isRowError,
    close: () => thread.close(),
  }
}

type Table = typeof tables.results | typeof tables.weights | typeof tables.evidence

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
