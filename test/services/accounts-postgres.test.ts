import pino from 'pino'
import { afterAll, describe, expect, test } from 'vitest'
import { runBatch } from '../../src/accounts/batch.js'
import { createKey, openAccounts, openAccountsDatabase } from '../../src/accounts/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { createDeferred } from '../../src/kernel/index.js'
import { describeAccounts, QUICK, reserved, silent, sumsOf } from '../accounts/accounts-suite.js'
import { createDatabases, postgresServer } from '../support/postgres.js'

const databases = createDatabases()
afterAll(() => databases.drop())

describe.skipIf(postgresServer === undefined)('PostgreSQL (skipped without TARGON_TEST_POSTGRES_URL)', () => {
  describeAccounts('on one PostgreSQL server', () => databases.create())

  test('a replica that freezes while it has a key locked keeps the others from it for seconds only', async () => {
    const place = await databases.create()
    const database = await openAccountsDatabase(place)
    const { key } = await createKey(database, { name: 'ann', limits: {}, isRetained: true, createdAtMs: 1 })
    const frozen = createDeferred<void>()
    const locked = createDeferred<void>()
    const freezing: typeof database = {
      ...database,
      transaction: (work) =>
        database.transaction((all) =>
          work(async (query) => {
            const rows = await all(query)
            locked.resolve()
            await frozen.promise
            return rows as never
          }),
        ),
    }
    const batch = {
      ...{ keyId: key.id, owner: 'frozen', leaseMs: 1000, mayExpire: false },
      settled: new Map(),
    }
    const thawed = runBatch(freezing, systemClock, {
      ...batch,
      wanted: [{ id: 'a', model: 'org/m', tokens: 1 }],
      onCommit: () => {},
    }).catch((error: unknown) => error)
    await locked.promise
    const accounts = openAccounts({ place, clock: systemClock, log: silent, times: QUICK })
    try {
      await (await reserved(accounts, key, 5)).settle({ promptTokens: 2, completionTokens: 2 })
      frozen.resolve()
      expect(await thawed).toBeInstanceOf(Error)
      expect(await sumsOf(database, key.id)).toMatchObject({ spent: 4, running: 0 })
    } finally {
      frozen.resolve()
      await accounts.close()
      await database.close()
    }
  })

  test('closes in time while the server is down; what it could not settle is charged in full', async () => {
    const outage = createDatabases()
    const place = await outage.create()
    const database = await openAccountsDatabase(place)
    const { key } = await createKey(database, { name: 'ann', limits: {}, isRetained: true, createdAtMs: 1 })
    await database.close()
    const lines: string[] = []
    const log = pino({ level: 'error' }, { write: (line) => void lines.push(line) })
    const ending = openAccounts({ place, clock: systemClock, log, times: QUICK })
    try {
      const running = await reserved(ending, key, 100)
      await outage.allowConnections(false)
      await outage.disconnect()
      const settling = running.settle({ promptTokens: 3, completionTokens: 4 })
      await ending.close()
      await settling
      expect(lines.join('')).toContain('accounts-unsettled')
      await outage.allowConnections(true)
      const next = openAccounts({ place, clock: systemClock, log: silent, times: QUICK })
      const after = await openAccountsDatabase(place)
      await expect.poll(() => sumsOf(after, key.id)).toMatchObject({ spent: 100, unsettled: 100, running: 0 })
      await after.close()
      await next.close()
    } finally {
      await outage.drop()
    }
  })

  test('refuses while the server is down, and settles what ran meanwhile once it is back', async () => {
    const outage = createDatabases()
    const place = await outage.create()
    const database = await openAccountsDatabase(place)
    const made = await createKey(database, { name: 'ann', limits: {}, isRetained: true, createdAtMs: 1 })
    await database.close()
    const [first, second] = [0, 1].map(() =>
      openAccounts({ place, clock: systemClock, log: silent, times: QUICK }),
    )
    if (!first || !second) throw new Error('no replicas')
    const ask = () => first.reserve(made.key, { model: 'org/m', tokens: 5 }, new AbortController().signal)
    try {
      const running = [await reserved(first, made.key, 100), await reserved(second, made.key, 100)]
      await outage.allowConnections(false)
      await outage.disconnect()
      await expect.poll(() => first.trouble()).toBeDefined()
      await expect(ask()).rejects.toMatchObject({ code: 'ACCOUNTS_UNAVAILABLE' })
      await expect(second.find(made.secret)).rejects.toMatchObject({ code: 'ACCOUNTS_UNAVAILABLE' })
      const settling = running[0]?.settle({ promptTokens: 3, completionTokens: 4 })
      // longer than a lease: the reservations have expired when the server is back, and are not taken from those who live
      await systemClock.sleep(1.5 * QUICK.leaseMs)
      await outage.allowConnections(true)
      await settling
      await expect.poll(() => first.trouble()).toBeUndefined()
      expect(await ask()).toMatchObject({ kind: 'reserved' })
      await systemClock.sleep(2 * QUICK.graceMs)
      await running[1]?.settle({ promptTokens: 1, completionTokens: 1 })
      const after = await openAccountsDatabase(place)
      expect(await sumsOf(after, made.key.id)).toEqual({
        ...{ spent: 9, used: 9, unsettled: 0, running: 1, requests: 2 },
      })
      await after.close()
    } finally {
      await Promise.all([first.close(), second.close()])
      await outage.drop()
    }
  })
})
