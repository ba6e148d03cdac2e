import { afterAll, beforeAll, describe } from 'vitest'
import { describeAccounts } from '../accounts/accounts-suite.js'
import { pgbouncer, startPgBouncer } from '../support/pgbouncer.js'
import { createDatabases, postgresServer } from '../support/postgres.js'

const isMissing = postgresServer === undefined || pgbouncer === undefined

describe.skipIf(isMissing)('PgBouncer (skipped without it or TARGON_TEST_POSTGRES_URL)', () => {
  const databases = createDatabases()
  let pooler: Awaited<ReturnType<typeof startPgBouncer>>
  beforeAll(async () => {
    pooler = await startPgBouncer(postgresServer ?? '', 'transaction')
  })
  afterAll(async () => {
    await pooler?.stop()
    await databases.drop()
  })

  describeAccounts('pools per transaction', async () => ({
    url: pooler.through((await databases.create()).url),
  }))
})
