import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Accounts,
  createKey,
  type KeyLimits,
  openAccounts,
  openAccountsDatabase,
  revokeKey,
} from '../../src/accounts/index.js'
import { LEASE_TIMES } from '../../src/accounts/time.js'
import type { Database } from '../../src/database/index.js'
import { ManualClock } from '../support/manual-clock.js'
import { describeAccounts, reserved, silent, sumsOf } from './accounts-suite.js'

const folders: string[] = []
async function makeFile(): Promise<{ file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'targon-accounts-'))
  folders.push(folder)
  return { file: join(folder, 'state', 'hub.sqlite') }
}
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

describeAccounts('on one SQLite file', makeFile)

const DAY_MS = 86_400_000
const MIDNIGHT = Date.UTC(2026, 0, 2)
const never = new AbortController().signal
describe('on a clock of its own', () => {
  let clock: ManualClock
  let place: { file: string }
  let database: Database
  let accounts: Accounts
  beforeEach(async () => {
    clock = new ManualClock(MIDNIGHT - 90_000)
    place = await makeFile()
    database = await openAccountsDatabase(place)
    accounts = openAccounts({ place, clock, log: silent })
  })
  afterEach(async () => {
    await accounts.close()
    await database.close()
  })

  const create = (limits: KeyLimits) =>
    createKey(database, { name: 'bob', limits, isRetained: true, createdAtMs: clock.now() })
  const ask = (key: Awaited<ReturnType<typeof create>>['key'], tokens = 1) =>
    accounts.reserve(key, { model: 'org/m', tokens }, never)

  test('requests per minute are counted by minutes of the clock', async () => {
    const { key } = await create({ requestsPerMinute: 2 })
    for (let minute = 0; minute < 3; minute++) {
      for (let request = 0; request < 2; request++) expect(await ask(key)).toMatchObject({ kind: 'reserved' })
      const wait = minute === 0 ? 30_000 : 60_000
      expect(await ask(key)).toEqual({ kind: 'refused', reason: 'requests', retryAfterMs: wait })
      await clock.advance(wait)
    }
  })

  test('tokens per day are those of requests that end on that day; running ones count in both', async () => {
    const { key } = await create({ tokensPerDay: 100 })
    await (await reserved(accounts, key, 60)).settle({ promptTokens: 0, completionTokens: 60 })
    const overMidnight = await reserved(accounts, key, 40)
    expect(await ask(key, 50)).toEqual({ kind: 'refused', reason: 'tokens-per-day', retryAfterMs: 90_000 })
    const today = async () => (await accounts.spend(1, never)).keys[0]?.tokensToday
    expect(await today()).toBe(60)
    await clock.advance(90_000)
    expect(await today()).toBe(0)
    expect(await ask(key, 61)).toMatchObject({ kind: 'refused', retryAfterMs: 1000 })
    await overMidnight.settle({ promptTokens: 10, completionTokens: 30 })
    expect(await ask(key, 60)).toMatchObject({ kind: 'reserved' })
    expect(await ask(key, 1)).toMatchObject({ kind: 'refused' })
  })

  test('a revoked key is found no more after five seconds, and at no time reserved', async () => {
    const { key, secret } = await create({})
    expect(await accounts.find(secret)).toEqual(key)
    await revokeKey(database, key.id, clock.now())
    expect(await ask(key)).toEqual({ kind: 'refused', reason: 'revoked' })
    await clock.advance(4999)
    expect(await accounts.find(secret)).toEqual(key)
    await clock.advance(1)
    expect(await accounts.find(secret)).toBeUndefined()
  })

  test('usage is deleted when it is older than asked for, the rest and the budget stay', async () => {
    const { key } = await create({ budgetTokens: 100 })
    const use = async (tokens: number) =>
      (await reserved(accounts, key, tokens)).settle({ promptTokens: 0, completionTokens: tokens })
    await use(60)
    await clock.advance(2 * DAY_MS)
    await use(30)
    await accounts.close()
    accounts = openAccounts({ place, clock, log: silent, usageRetentionMs: 2 * DAY_MS })
    await use(1)
    await clock.advance(DAY_MS)
    const left = { spent: 91, used: 31, requests: 2, running: 0, unsettled: 0 }
    await expect.poll(() => sumsOf(database, key.id)).toEqual(left)
    expect(await ask(key, 10)).toMatchObject({ kind: 'refused', reason: 'budget' })
    expect(await ask(key, 9)).toMatchObject({ kind: 'reserved' })
  })

  test('after an outage a replica lets others extend their reservations before it debits them', async () => {
    const { key } = await create({})
    await reserved(accounts, key, 10)
    await accounts.close()
    await clock.advance(LEASE_TIMES.leaseMs + 1)
    accounts = openAccounts({ place, clock, log: silent })
    await reserved(accounts, key, 1)
    expect(await sumsOf(database, key.id)).toMatchObject({ spent: 0, running: 2 })
    await clock.advance(LEASE_TIMES.graceMs)
    await reserved(accounts, key, 1)
    expect(await sumsOf(database, key.id)).toMatchObject({ spent: 10, unsettled: 10, running: 2 })
  })

  test('says what is wrong with a file that is no database, and leaves it alone', async () => {
    const other = await makeFile()
    const { mkdir, readFile, writeFile } = await import('node:fs/promises')
    await mkdir(join(other.file, '..'))
    await writeFile(other.file, 'x'.repeat(4096))
    const broken = openAccounts({ place: other, clock, log: silent })
    const { key, secret } = await create({})
    const error = { code: 'ACCOUNTS_UNAVAILABLE', next: expect.stringContaining(`Restore ${other.file}`) }
    await expect(broken.find(secret)).rejects.toMatchObject(error)
    await expect(broken.reserve(key, { model: 'm', tokens: 1 }, never)).rejects.toMatchObject(error)
    expect(broken.trouble()).toMatch(/could not be opened/)
    await broken.close()
    expect(await readFile(other.file, 'utf8')).toBe('x'.repeat(4096))
  })
})
