import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Database, migrate, openDatabase } from '../../src/database/index.js'
import { createDeferred } from '../../src/kernel/index.js'

const none = { postgres: async () => ({}), embedded: async () => ({}) }
const statements = ['create table counts (name text primary key, value integer not null) strict']
let folder: string
let database: Database
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-database-'))
  database = await openDatabase({ file: join(folder, 'a.sqlite') }, none)
  await migrate(database, 'counts_migrations', [{ postgres: statements, embedded: statements }])
})
afterEach(async () => {
  await database.close()
  await rm(folder, { recursive: true, force: true })
})

const names = () => database.all<{ name: string }>(sql`select name from counts order by name`)
const add = (name: string) => sql`insert into counts values (${name}, 1)`

test('a statement that is sent during a transaction waits, so its rows survive the rollback', async () => {
  const mayEnd = createDeferred<void>()
  const failing = database.transaction(async (all) => {
    await all(add('rolled back'))
    await mayEnd.promise
    throw new Error('no')
  })
  const other = database.all(add('kept'))
  mayEnd.resolve()
  await expect(failing).rejects.toThrow('no')
  await other
  expect(await names()).toEqual([{ name: 'kept' }])
})

test('transactions of two connections that read and then write lose no update', async () => {
  const second = await openDatabase({ file: join(folder, 'a.sqlite') }, none)
  await database.all(add('sum'))
  const increase = (connection: Database) =>
    connection.transaction(async (all) => {
      const [row] = await all<{ value: number }>(sql`select value from counts`)
      await all(sql`update counts set value = ${(row?.value ?? 0) + 1}`)
    })
  await Promise.all(Array.from({ length: 100 }, (_, index) => increase(index % 2 ? database : second)))
  await second.close()
  expect(await database.all(sql`select value from counts`)).toEqual([{ value: 101 }])
})
