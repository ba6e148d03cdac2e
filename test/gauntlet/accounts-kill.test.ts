import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, inject, test } from 'vitest'
import {
  createKey,
  listKeys,
  openAccounts,
  openAccountsDatabase,
  readUsage,
} from '../../src/accounts/index.js'
import type { DatabasePlace } from '../../src/database/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import type { Random } from '../../src/prompts/random.js'
import { silent } from '../accounts/accounts-suite.js'
import { createDatabases, postgresServer } from '../support/postgres.js'
import { scaled } from './scale.js'
import { drawsOf, GAUNTLET_SEED } from './seed.js'
import { startTally, type Tally } from './tally.js'

const RESERVED = 100
/** A kill may meet requests at any step; further runs follow until some were running and some settled. */
const MOST_RUNS = 60
const databases = createDatabases()
const folders: string[] = []
afterAll(async () => {
  await databases.drop()
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
})

/** @returns what the process said before it was killed */
async function runUntilKilled(
  place: DatabasePlace,
  secret: string,
  run: number,
  draws: Random,
): Promise<string[]> {
  const words = ['url' in place ? place.url : place.file, secret, String(run), String(GAUNTLET_SEED)]
  const child = spawn(process.execPath, [inject('scripts')['accounts-user'], ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (text) => {
      output += text
      if (output.includes('asks')) resolve()
    })
    child.once('exit', () => resolve())
  })
  await systemClock.sleep(draws.next() * 400)
  expect(child.exitCode).toBeNull()
  child.kill('SIGKILL')
  await once(child, 'close')
  return output.split('\n').slice(0, -1)
}

/** What each request may have been charged, from its last words. */
function possibleCharges(lines: readonly string[]): Map<string, readonly number[]> {
  const charges = new Map<string, readonly number[]>()
  for (const line of lines) {
    const [, model = '', step, used] = /^(run \d+ lane \d+ request \d+) (\w+) ?(\d+)?$/.exec(line) ?? []
    if (step === 'asks') charges.set(model, [0, RESERVED])
    else if (step === 'runs') charges.set(model, [RESERVED])
    else if (step === 'used') charges.set(model, [Number(used), RESERVED])
    else charges.set(model, [charges.get(model)?.[0] ?? Number.NaN])
  }
  return charges
}

/** Whether there is a request that must have been charged its whole reservation, and one that must have been charged its use. */
function haveBothEnds(all: Iterable<readonly number[]>): boolean {
  const certain = [...all].flatMap(([tokens, other]) => (other === undefined ? [tokens ?? 0] : []))
  return certain.includes(RESERVED) && certain.some((tokens) => tokens > 1 && tokens < RESERVED)
}

async function killReplicas(place: DatabasePlace, tally: Tally): Promise<void> {
  const draws = drawsOf(tally.kind)
  const database = await openAccountsDatabase(place)
  const { secret } = await createKey(database, {
    ...{ name: 'ann', limits: { budgetTokens: 1e9, concurrent: 1000 }, isRetained: true, createdAtMs: 1 },
  })
  const times = { leaseMs: 8000, extendMs: 200, graceMs: 400 }
  const survivor = openAccounts({ place, clock: systemClock, log: silent, times })
  const expected = new Map<string, readonly number[]>()
  try {
    const isEnough = (runs: number) =>
      runs >= scaled(tally.full) && (runs >= MOST_RUNS || haveBothEnds(expected.values()))
    let kills = 0
    for (; !isEnough(kills); kills++)
      for (const [model, charges] of possibleCharges(await runUntilKilled(place, secret, kills, draws)))
        expected.set(model, charges)
    await expect.poll(async () => (await listKeys(database))[0]?.running).toBe(0)
    const rows = await readUsage(database, { sinceMs: 0, untilMs: 8e15 })
    const charged = new Map<string, number>()
    for (const { model, requests, promptTokens, completionTokens, unsettledTokens } of rows) {
      expect(requests).toBe(1)
      charged.set(model, promptTokens + completionTokens + unsettledTokens)
    }
    const wrong = [...expected].filter(([model, charges]) => !charges.includes(charged.get(model) ?? 0))
    expect(wrong).toEqual([])
    expect([...charged.keys()].filter((model) => !expected.has(model))).toEqual([])
    const [key] = await listKeys(database)
    expect(key?.spentTokens).toBe([...charged.values()].reduce((sum, tokens) => sum + tokens, 0))
    expect(rows.filter(({ unsettledTokens }) => unsettledTokens > 0).length).toBeGreaterThan(0)
    expect(rows.filter(({ completionTokens }) => completionTokens > 0).length).toBeGreaterThan(0)
    tally.count = kills
  } finally {
    await survivor.close()
    await database.close()
  }
}

/** Of replicas that only debit requests. */
const kindOn = (database: string) =>
  ({
    fault: 'F34',
    kind: `kill -9 of a replica with accounts on ${database}`,
    full: 100,
    isDrawn: true,
  }) as const

describe('each request is debited exactly once through kill -9, and no reservation is left', () => {
  test('on one SQLite file', async ({ task }) => {
    const folder = await mkdtemp(join(tmpdir(), 'targon-accounts-kill-'))
    folders.push(folder)
    await killReplicas({ file: join(folder, 'accounts.sqlite') }, startTally(task, kindOn('SQLite')))
  }, 3_600_000)

  test.skipIf(postgresServer === undefined)(
    'on PostgreSQL (skipped without TARGON_TEST_POSTGRES_URL)',
    async ({ task }) => killReplicas(await databases.create(), startTally(task, kindOn('PostgreSQL'))),
    3_600_000,
  )
})
