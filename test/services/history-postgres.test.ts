import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, describe } from 'vitest'
import { describeHistory } from '../history/history-suite.js'

const server = process.env.TARGON_TEST_POSTGRES_URL
const made: string[] = []

/** A database of its own on the given server. */
async function createDatabase(address: string): Promise<{ url: string }> {
  const name = `targon_${randomBytes(6).toString('hex')}`
  await execute(address, `create database ${name}`)
  made.push(name)
  const url = new URL(address)
  url.pathname = `/${name}`
  return { url: url.href }
}

async function execute(address: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

afterAll(async () => {
  for (const name of made) await execute(server ?? '', `drop database ${name} with (force)`)
})

describe.skipIf(server === undefined)('PostgreSQL (skipped without TARGON_TEST_POSTGRES_URL)', () => {
  describeHistory('PostgreSQL', () => createDatabase(server ?? ''))
})
