import type { SQL, Table } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core'

/** Where rows are stored: a PostgreSQL server, or an SQLite file. */
export type DatabasePlace = { readonly url: string } | { readonly file: string }

/** Tables by name; each member is the table of either database. */
export type Tables = Readonly<Record<string, Table>>

/** The same tables for both databases. They are loaded on first use, as the drivers are. */
export interface Schema<T extends Tables> {
  postgres(): Promise<T>
  embedded(): Promise<T>
}

/** Rows to insert, by the name of their table; the database numbers them itself. */
export type Batch<T extends Tables> = {
  readonly [Name in keyof T]?: readonly Omit<T[Name]['$inferInsert'], 'id'>[]
}

/** Runs a query and returns its rows under the names the query gives its columns. The caller answers for the type. */
export type Query = <Row extends Record<string, unknown>>(query: SQL) => Promise<Row[]>

/**
 * What PostgreSQL and SQLite have in common. Queries are written once, for both: no function that only one of them knows,
 * counts cast to integer, times by `milliseconds`.
 */
export interface Database<T extends Tables = Tables> {
  readonly kind: 'postgres' | 'embedded'
  readonly tables: T
  readonly all: Query
  /** Writes all rows or none. */
  insert(batch: Batch<T>): Promise<void>
  /**
   * Runs `work` in a transaction. SQLite lets no one else write meanwhile, and other calls of this connection wait; PostgreSQL
   * locks only the rows that `work` locks.
   */
  transaction<R>(work: (all: Query) => Promise<R>): Promise<R>
  /** Runs `work` in a transaction that excludes other transactions of this kind in the whole database. */
  exclusively<R>(work: (all: Query) => Promise<R>): Promise<R>
  /** SQL for milliseconds since 1970 of a column of times: a number in either database. */
  milliseconds(column: AnyPgColumn | AnySQLiteColumn): SQL<number>
  /** SQL for whether the table exists, as `found`. */
  hasTable(name: string): SQL
  /** Whether the database rejected the rows themselves, so that writing them again would fail as well. */
  isRowError(error: unknown): boolean
  /** Whether another connection was in the way, so that the same transaction may succeed at once. */
  isContention(error: unknown): boolean
  close(): Promise<void>
}
