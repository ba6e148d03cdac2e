import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** URL of a PostgreSQL server whose user may create databases; suites that need one are skipped without it. */
export const postgresServer = process.env.TARGON_TEST_POSTGRES_URL

/** Creates temporary databases on that server. */
export function createDatabases(server = postgresServer ?? '') {
  const made: string[] = []
  return {
    create: async (): Promise<{ url: string }> => {
      const name = `targon_${randomBytes(6).toString('hex')}`
      await execute(server, `create database ${name}`)
      // off by half an hour, so that hours of the server's zone show where hours of UTC are meant
      await execute(server, `alter database ${name} set timezone to 'Asia/Kolkata'`)
      made.push(name)
      const url = new URL(server)
      url.pathname = `/${name}`
      return { url: url.href }
    },
    /** Terminates all connections to them, as a restarting server does. */
    disconnect: async () => {
      for (const name of made)
        await execute(
          server,
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
        )
    },
    /** Rejects new connections until called again with true. */
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
