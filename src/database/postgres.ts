import pg from 'pg'
import { messageOf } from '../kernel/index.js'

const STATEMENT_TIMEOUT_MS = 30_000

/**
 * Connects to a PostgreSQL server or a pooler in front of one. The server ends a statement after 30 seconds where it takes that
 * limit; a pooler (PgBouncer, RDS Proxy) refuses it in the greeting, and setting it later would change a connection that other
 * clients share, so there only this side's limit of the same length applies.
 *
 * @throws the driver's error
 */
export async function connectPostgres(url: string): Promise<pg.Pool> {
  const connectionString = withCheckedCertificate(url)
  try {
    return await connect({ connectionString, statement_timeout: STATEMENT_TIMEOUT_MS })
  } catch (error) {
    if (!refusesTimeout(error)) throw error
    return connect({ connectionString })
  }
}

async function connect(config: pg.PoolConfig): Promise<pg.Pool> {
  const pool = new pg.Pool({
    ...config,
    max: 4,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    query_timeout: STATEMENT_TIMEOUT_MS,
  })
  // a broken idle connection is replaced at the next query; without a listener the event would end the process
  pool.on('error', () => {})
  // nor may one that the server ends between two statements of a transaction, whose next statement fails
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    await pool.query('select 1')
  } catch (error) {
    await pool.end()
    throw error
  }
  return pool
}

/** PgBouncer: "unsupported startup parameter: statement_timeout"; others name the parameter too. */
function refusesTimeout(error: unknown): boolean {
  return /statement_timeout/.test(messageOf(error))
}

/** Modes that the driver treats like verify-full, with a warning on standard error that its next release will not. */
const CHECKED_MODES: readonly (string | null)[] = ['prefer', 'require', 'verify-ca']

/** The same address with `sslmode=verify-full` where the driver would read the mode as that and warn. */
function withCheckedCertificate(url: string): string {
  if (!URL.canParse(url)) return url
  const { searchParams } = new URL(url)
  const isAlias = CHECKED_MODES.includes(searchParams.get('sslmode'))
  if (!isAlias || searchParams.get('uselibpqcompat') === 'true') return url
  return url.replace(/([?&]sslmode=)[^&#]*/g, '$1verify-full')
}
