import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/history/index.js'
import { describeHistory } from '../history/history-suite.js'
import { pgbouncer, startPgBouncer } from '../support/pgbouncer.js'
import { createDatabases, postgresServer } from '../support/postgres.js'

const isMissing = postgresServer === undefined || pgbouncer === undefined

describe.skipIf(isMissing)('PgBouncer (skipped without it or TARGON_TEST_POSTGRES_URL)', () => {
  describe.each(['session', 'transaction'] as const)('pools per %s', (mode) => {
    const databases = createDatabases()
    let pooler: Awaited<ReturnType<typeof startPgBouncer>>
    const place = async () => ({ url: pooler.through((await databases.create()).url) })
    beforeAll(async () => {
      pooler = await startPgBouncer(postgresServer ?? '', mode)
    })
    afterAll(async () => {
      await pooler?.stop()
      await databases.drop()
    })

    test('leaves the limit on statements of other clients of the pooler as it is', async () => {
      const { url } = await place()
      const history = await openDatabase({ url })
      const other = new pg.Client({ connectionString: url })
      await other.connect()
      const { rows } = await other.query('show statement_timeout')
      expect(rows).toEqual([{ statement_timeout: '0' }])
      await other.end()
      await history.close()
    })

    describeHistory('the history', place)
  })
})
