import { sql } from 'drizzle-orm'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AccountsConnection } from '../../src/accounts/connection.js'
import {
  type Accounts,
  type ApiKey,
  changeKey,
  createKey,
  type KeyLimits,
  listKeys,
  openAccounts,
  openAccountsDatabase,
  type Reservation,
  readUsage,
  revokeKey,
} from '../../src/accounts/index.js'
import { keepUsagePruned } from '../../src/accounts/prune-usage.js'
import { readSpend } from '../../src/accounts/read-spend.js'
import type { Database, DatabasePlace } from '../../src/database/index.js'
import { systemClock } from '../../src/kernel/clock.js'

/** Ten times faster than a hub does it, with room for a loaded machine. */
export const QUICK = { leaseMs: 3000, extendMs: 300, graceMs: 600 }
export const silent = pino({ level: 'silent' })
const never = new AbortController().signal
const everything = { sinceMs: 0, untilMs: 8.64e15 }

export async function reserved(accounts: Accounts, key: ApiKey, tokens: number): Promise<Reservation> {
  const answer = await accounts.reserve(key, { model: 'org/m', tokens }, never)
  if (answer.kind === 'refused') throw new Error(`refused: ${answer.reason}`)
  return answer
}

/** Tokens of a key: debited according to the key and to the usage table, and still reserved. */
export async function sumsOf(database: Database, keyId: string) {
  const key = (await listKeys(database)).find(({ id }) => id === keyId)
  const rows = await readUsage(database, { ...everything, keyId })
  const sum = (pick: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + pick(row), 0)
  return {
    spent: key?.spentTokens,
    running: key?.running,
    used: sum((row) => row.promptTokens + row.completionTokens),
    unsettled: sum((row) => row.unsettledTokens),
    requests: sum((row) => row.requests),
  }
}

/** The cases that hold for either database. */
export function describeAccounts(title: string, makePlace: () => Promise<DatabasePlace>): void {
  describe(title, () => {
    let place: DatabasePlace
    let database: Database
    /** Two replicas for all tests. */
    let accounts: Accounts
    let other: Accounts
    const open = () => openAccounts({ place, clock: systemClock, log: silent, times: QUICK })
    beforeAll(async () => {
      place = await makePlace()
      database = await openAccountsDatabase(place)
      accounts = open()
      other = open()
    })
    afterAll(async () => {
      await Promise.all([accounts.close(), other.close()])
      await database.close()
    })

    const create = (limits: KeyLimits = {}, isRetained = true) =>
      createKey(database, { name: 'ann', limits, isRetained, createdAtMs: 1000 })
    const refusal = (accounts: Accounts, key: ApiKey, tokens = 10, model = 'org/m') =>
      accounts.reserve(key, { model, tokens }, never)

    test('finds a key by its secret only, and stores the secret nowhere', async () => {
      const limits = { requestsPerMinute: 5, tokensPerDay: 6, concurrent: 7, budgetTokens: 2 ** 40 }
      const { key, secret } = await create(
        { ...limits, models: ['org/m', 'o\'r"g'], expiresAtMs: 9e12 },
        false,
      )
      expect(await accounts.find(secret)).toEqual(key)
      expect(key.isRetained).toBe(false)
      expect(await accounts.find(`${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`)).toBeUndefined()
      for (const text of ['', key.id, 'sk-', `${secret} `]) expect(await accounts.find(text)).toBeUndefined()
      const rows = await database.all(sql`select * from hub_keys`)
      expect(JSON.stringify(rows)).toContain(key.id)
      expect(JSON.stringify(rows)).not.toContain(secret.slice(10))
    })

    test('debits what was used once, at most what was reserved', async () => {
      const { key } = await create()
      const [first, second, third] = [
        await reserved(accounts, key, 100),
        await reserved(accounts, key, 100),
        await reserved(accounts, key, 100),
      ]
      expect(await sumsOf(database, key.id)).toMatchObject({ spent: 0, running: 3 })
      await Promise.all([first, first].map((one) => one.settle({ promptTokens: 7, completionTokens: 30 })))
      await second.settle({ promptTokens: 1e9, completionTokens: 40 })
      await third.settle({ promptTokens: -5, completionTokens: Number.NaN })
      const odd = await accounts.reserve(key, { model: 'a\0b', tokens: 0.5 }, never)
      if (odd.kind === 'reserved') await odd.settle({ promptTokens: 0, completionTokens: 0.5 })
      expect(await sumsOf(database, key.id)).toEqual({
        ...{ spent: 138, running: 0, used: 138, unsettled: 0, requests: 4 },
      })
    })

    test('refuses by each limit, with the time after which another try can help', async () => {
      const of = async (limits: KeyLimits) => (await create(limits)).key
      expect(await refusal(accounts, await of({ models: ['org/other'] }))).toEqual({
        ...{ kind: 'refused', reason: 'model' },
      })
      expect(await refusal(accounts, await of({ expiresAtMs: 1 }))).toEqual({
        kind: 'refused',
        reason: 'expired',
      })
      expect(await refusal(accounts, await of({ tokensPerDay: 9 }))).toEqual({
        ...{ kind: 'refused', reason: 'tokens-per-day' },
      })
      expect(await refusal(accounts, await of({ budgetTokens: 9 }))).toEqual({
        kind: 'refused',
        reason: 'budget',
      })
      const one = await of({ concurrent: 1 })
      const running = await reserved(accounts, one, 1)
      expect(await refusal(accounts, one)).toEqual({
        ...{ kind: 'refused', reason: 'concurrent', retryAfterMs: 1000 },
      })
      await running.settle({ promptTokens: 1, completionTokens: 0 })
      expect(await refusal(accounts, one)).toMatchObject({ kind: 'reserved' })
      const [day, budget] = [await of({ tokensPerDay: 10 }), await of({ budgetTokens: 10 })]
      for (const key of [day, budget]) {
        const whole = await reserved(accounts, key, 10)
        expect(await refusal(accounts, key, 1)).toMatchObject({ kind: 'refused', retryAfterMs: 1000 })
        await whole.settle({ promptTokens: 9, completionTokens: 0 })
        expect(await refusal(accounts, key, 1)).toMatchObject({ kind: 'reserved' })
      }
    })

    test('a revoked key and changed limits count from the next request', async () => {
      const { key } = await create({ budgetTokens: 10 })
      expect(await refusal(accounts, key, 11)).toMatchObject({ reason: 'budget' })
      await changeKey(database, key.id, { budgetTokens: null, models: ['org/m'], isRetained: false })
      const [changed] = (await listKeys(database)).filter(({ id }) => id === key.id)
      expect(changed).toMatchObject({ limits: { models: ['org/m'] }, isRetained: false })
      expect(changed?.limits.budgetTokens).toBeUndefined()
      expect(await refusal(accounts, key, 11)).toMatchObject({ kind: 'reserved' })
      expect((await revokeKey(database, key.id, 2000))?.revokedAtMs).toBe(2000)
      expect((await revokeKey(database, key.id, 3000))?.revokedAtMs).toBe(2000)
      expect(await revokeKey(database, 'key_none', 2000)).toBeUndefined()
      expect(await refusal(accounts, key)).toEqual({ kind: 'refused', reason: 'revoked' })
    })

    test('tells which keys have used most today, and what all others have', async () => {
      const limits = { tokensPerDay: 2 ** 41, budgetTokens: 2 ** 42 }
      const [{ key }, { key: second }, { key: revoked }] = [
        await create(limits),
        await create(),
        await create(),
      ]
      const use = async (one: ApiKey, tokens: number) =>
        (await reserved(accounts, one, tokens)).settle({ promptTokens: tokens - 1, completionTokens: 1 })
      await use(key, 2 ** 35)
      await use(second, 2 ** 34)
      await use(revoked, 2 ** 36)
      await revokeKey(database, revoked.id, 2000)
      const { keys } = await other.spend(2, never)
      expect(keys).toEqual([
        { id: key.id, name: 'ann', tokensToday: 2 ** 35, spentTokens: 2 ** 35, ...limits },
        {
          ...{ id: second.id, name: 'ann', tokensToday: 2 ** 34, spentTokens: 2 ** 34 },
          ...{ tokensPerDay: null, budgetTokens: null },
        },
      ])
      const { others } = await other.spend(1, never)
      expect(others.keys).toBeGreaterThanOrEqual(1)
      expect(others.tokensToday).toBeGreaterThanOrEqual(2 ** 34)
      expect(others.tokensToday).toBeLessThan(2 ** 35)
    })

    test('tells of one moment, also while keys are used', async () => {
      const { key } = await create()
      const using: Database = {
        ...database,
        all: async (query) => {
          const rows = await database.all(query)
          await (await reserved(accounts, key, 9)).settle({ promptTokens: 8, completionTokens: 1 })
          return rows as never
        },
      }
      expect((await readSpend(using, systemClock, 10_000)).others).toEqual({ keys: 0, tokensToday: 0 })
    })

    test('1,000 racing requests on two replicas exceed no limit and lose no debit', async () => {
      const limits = {
        budgetTokens: 40_000,
        tokensPerDay: 45_000,
        concurrent: 60,
        requestsPerMinute: 100_000,
      }
      const { key } = await create(limits)
      const replicas = [accounts, other]
      const seen = { used: 0, accepted: 0, refused: 0 }
      const ask = async (index: number) => {
        const answer = await refusal(replicas[index % 2]!, key, 100 + (index % 7))
        if (answer.kind === 'refused') {
          seen.refused++
          return
        }
        seen.accepted++
        const use = { promptTokens: index % 40, completionTokens: index % 61 }
        seen.used += use.promptTokens + use.completionTokens
        await answer.settle(use)
      }
      await Promise.all(Array.from({ length: 1000 }, (_, index) => ask(index)))
      expect(await sumsOf(database, key.id)).toEqual({
        ...{ spent: seen.used, used: seen.used, unsettled: 0, running: 0, requests: seen.accepted },
      })
      expect(seen.used).toBeLessThanOrEqual(limits.budgetTokens)
      expect(seen.accepted + seen.refused).toBe(1000)
    })

    test('racing requests that all run at once are accepted up to the limit exactly', async () => {
      const replicas = [accounts, other]
      for (const limits of [
        { budgetTokens: 1050 },
        { tokensPerDay: 1050 },
        { concurrent: 10 },
        { requestsPerMinute: 10 },
      ]) {
        const { key } = await create(limits)
        const minute = Math.floor(Date.now() / 60_000)
        const answers = await Promise.all(
          Array.from({ length: 100 }, (_, index) => refusal(replicas[index % 2]!, key, 100)),
        )
        const accepted = answers.filter(({ kind }) => kind === 'reserved').length
        const hasMinuteEnded = Math.floor(Date.now() / 60_000) > minute
        expect(accepted).toBeGreaterThanOrEqual(10)
        expect(accepted).toBeLessThanOrEqual(limits.requestsPerMinute && hasMinuteEnded ? 20 : 10)
      }
    })

    test('a request that leaves while it waits for its reservation leaves none behind', async () => {
      const { key } = await create()
      const leaving = new AbortController()
      const asked = accounts.reserve(key, { model: 'org/m', tokens: 50 }, leaving.signal)
      leaving.abort(new Error('left'))
      await expect(asked).rejects.toThrow('left')
      await expect(accounts.reserve(key, { model: 'org/m', tokens: 50 }, leaving.signal)).rejects.toThrow(
        'left',
      )
      await reserved(accounts, key, 5)
      await expect.poll(() => sumsOf(database, key.id)).toMatchObject({ running: 1, spent: 0, requests: 0 })
    })

    test('usage that is too old is deleted, by two replicas at once and in portions', async () => {
      const { key } = await create()
      const hours = Array.from({ length: 12_000 }, (_, index) => index)
      for (let from = 0; from < hours.length; from += 1000)
        await database.all(sql`
          insert into hub_usage (key_id, hour, model, requests, prompt_tokens, completion_tokens, unsettled_tokens)
          values ${sql.join(
            hours
              .slice(from, from + 1000)
              .map((hour) => sql`(${key.id}, ${hour * 3_600_000}, 'org/m', 1, 1, 1, 0)`),
            sql`, `,
          )}`)
      await (await reserved(accounts, key, 5)).settle({ promptTokens: 2, completionTokens: 3 })
      const ending = new AbortController()
      const pruning = [0, 1].map(() => {
        const clock = { ...systemClock, sleep: () => systemClock.sleep(100, ending.signal) }
        const connection = new AccountsConnection(place, clock, silent)
        const done = keepUsagePruned({ connection, clock, signal: ending.signal, retentionMs: 60_000 * 60 })
        return done.then(() => connection.close())
      })
      await expect.poll(() => sumsOf(database, key.id)).toMatchObject({ requests: 1, used: 5, spent: 5 })
      ending.abort()
      await Promise.all(pruning)
    })

    test('closing waits for settlements that were not awaited', async () => {
      const { key } = await create()
      const ending = open()
      const running = [await reserved(ending, key, 9), await reserved(ending, key, 9)]
      for (const one of running) void one.settle({ promptTokens: 1, completionTokens: 2 })
      await ending.close()
      expect(await sumsOf(database, key.id)).toMatchObject({ spent: 6, running: 0, requests: 2 })
    })

    test('a replica that ends without settling is charged in full, one that lives is not', async () => {
      const { key } = await create()
      const dying = open()
      await reserved(dying, key, 70)
      const running = await reserved(accounts, key, 30)
      await dying.close()
      await expect
        .poll(() => sumsOf(database, key.id))
        .toMatchObject({ unsettled: 70, spent: 70, running: 1 })
      // longer than a lease, which the living replica extends
      await systemClock.sleep(1.5 * QUICK.leaseMs)
      await reserved(other, key, 1)
      await running.settle({ promptTokens: 1, completionTokens: 2 })
      expect(await sumsOf(database, key.id)).toMatchObject({ unsettled: 70, used: 3, spent: 73 })
    })
  })
}
