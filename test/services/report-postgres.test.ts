import { afterAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import { readMinersReport } from '../../src/roles/validator/index.js'
import { checkUnderLoad, startReportRig, verifiedIn } from '../roles/validator/reports/report-rig.js'
import { createDatabases, postgresServer } from '../support/postgres.js'

const databases = createDatabases()
afterAll(() => databases.drop())

describe.skipIf(postgresServer === undefined)(
  'a report from PostgreSQL (skipped without TARGON_TEST_POSTGRES_URL)',
  () => {
    test('is read directly, also under load, with the scores of the running validator', async () => {
      const { url } = await databases.create()
      const bench = await startReportRig({ 'database.url': url })
      try {
        const validator = await bench.rig.start()
        const statusPort = Number(new URL(validator.url).port)
        await bench.rig.logged(({ event }) => event === 'history-opened')
        await checkUnderLoad(bench, 'postgres', statusPort, '--database.url', url)
        const { verdicts } = await validator.stop()
        const after = await bench.report(statusPort, '--database.url', url)
        expect(after).toMatchObject({ source: 'postgres', validator: null })
        expect(verifiedIn(after)).toBe(verdicts.verified)
      } finally {
        await bench.close()
      }
    }, 120_000)

    test('says why the database cannot be read', async () => {
      const { url } = await databases.create()
      const query = { clock: systemClock, stateDir: '/nowhere', statusPort: 0, databaseUrl: url }
      await expect(
        readMinersReport({ ...query, signal: new AbortController().signal }),
      ).rejects.toMatchObject({
        message: 'The history could not be read: relation "results" does not exist.',
        next: 'Start the validator once with this release; it updates the database.',
      })
    })
  },
)
