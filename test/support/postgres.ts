import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** Address of a real PostgreSQL whose user may make databases; suites that need one skip without it. */
export const postgresServer = process.env.TARGON_TEST_POSTGRES_URL

/** Databases of their own on that server, dropped at the end. */
export function createDatabases(server = postgresServer ?? '') {
  const made: string[] = []
  return {
    create: async (): Promise<{ url: string }> => {
      const name = `targon_${randomBytes(6).toString('hex')}`
      await execute(server, `create database ${name}`)
      made.push(name)
      const url = new URL(server)
      url.pathname = `/${name}`
      return { url: url.href }
    },
    /** Ends every connection to them, as a server that restarts does. */
    disconnect: async () => {
      for (const name of made)
        await execute(
          server,
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
        )
    },
    /** Lets nobody in until it is called again with true. */
    allowConnections: async (allowed: boolean) => {
      for (const name of made) await execute(server, `alter database ${name} allow_connections ${allowed}`)
    },
    drop: async () => {
      for (const name of made.splice(0)) await execute(server, `drop database ${name} with (force)`)
    },
  }
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
