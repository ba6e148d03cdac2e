import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { examineAccounts, openAccountsDatabase } from '../../src/accounts/index.js'
import { redisCheck } from '../../src/doctor/checks/services.js'
import { examine } from '../../src/doctor/index.js'
import { examineDatabase } from '../../src/history/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { pgbouncer, startPgBouncer } from '../support/pgbouncer.js'
import { createDatabases, postgresServer } from '../support/postgres.js'

const redisUrl = process.env.TARGON_TEST_REDIS_URL

describe.skipIf(!redisUrl)('doctor of Redis (skipped without TARGON_TEST_REDIS_URL)', () => {
  const redis = redisUrl ? new Redis(redisUrl) : undefined
  afterAll(async () => {
    await redis?.config('SET', 'maxmemory-policy', 'noeviction')
    redis?.disconnect()
  })

  it.each([
    ['noeviction', 'ok'],
    ['allkeys-lru', 'warn'],
  ])('with %s says %s, and writes nothing', async (policy, state) => {
    await redis?.config('SET', 'maxmemory-policy', policy)
    const before = await redis?.dbsize()
    const { signal } = new AbortController()
    const context = { settings: { 'replay.redis-url': redisUrl }, clock: systemClock, signal }
    const findings = await examine([redisCheck], context as never)
    expect(findings.map((finding) => finding.state)).toEqual([state])
    expect(await redis?.dbsize()).toBe(before)
  })
})

describe.skipIf(postgresServer === undefined)(
  'doctor of PostgreSQL (skipped without TARGON_TEST_POSTGRES_URL)',
  () => {
    const databases = createDatabases()
    afterAll(() => databases.drop())

    it('reads the version, and creates no table', async () => {
      const { url } = await databases.create()
      const described = await examineDatabase(url)
      expect(described.server).toMatch(/^PostgreSQL \d/)
      expect(described.isPooled).toBe(false)
    })

    it('reads which tables the keys of a hub have, and creates none', async () => {
      const place = await databases.create()
      expect(await examineAccounts(place.url)).toMatchObject({ schema: 'new', isPooled: false })
      expect(await examineAccounts(place.url)).toMatchObject({ schema: 'new' })
      await (await openAccountsDatabase(place)).close()
      expect(await examineAccounts(place.url)).toMatchObject({ schema: 'current' })
    })

    it.skipIf(pgbouncer === undefined)('tells a server behind PgBouncer', async () => {
      const pooler = await startPgBouncer(postgresServer ?? '', 'transaction')
      try {
        const { url } = await databases.create()
        expect((await examineDatabase(pooler.through(url))).isPooled).toBe(true)
      } finally {
        await pooler.stop()
      }
    })
  },
)
