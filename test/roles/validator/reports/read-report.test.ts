import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { afterEach, expect, test } from 'vitest'
import { migrate, openDatabase } from '../../../../src/history/index.js'
import { systemClock } from '../../../../src/kernel/clock.js'
import { readMinersReport } from '../../../../src/roles/validator/index.js'
import { row } from '../../../history/history-suite.js'
import { checkUnderLoad, type ReportRig, startReportRig, verifiedIn } from './report-rig.js'

let bench: ReportRig | undefined
afterEach(async () => {
  await bench?.close()
  bench = undefined
})

test('reads the history beside the running validator, and after it has stopped', async () => {
  bench = await startReportRig({})
  const { rig, report } = bench
  const validator = await rig.start()
  const statusPort = Number(new URL(validator.url).port)
  await rig.logged(({ event }) => event === 'history-opened')
  await checkUnderLoad(bench, 'embedded', statusPort)
  const { signal } = new AbortController()
  const elsewhere = { clock: systemClock, stateDir: rig.deps.stateDir, statusPort: 1, signal }
  const without = await readMinersReport(elsewhere)
  expect(without).toMatchObject({ source: 'embedded', now: null })
  expect(without.miners.length).toBeGreaterThan(0)
  const { verdicts } = await validator.stop()
  const after = await report(statusPort)
  expect(after).toMatchObject({ source: 'embedded', validator: null })
  expect(verifiedIn(after)).toBe(verdicts.verified)
})

test('shows no scores of another validator that answers on the status port', async () => {
  bench = await startReportRig({})
  const { rig } = bench
  const validator = await rig.start()
  const { stateDir } = rig.deps
  const query = {
    ...{ clock: systemClock, stateDir, statusPort: Number(new URL(validator.url).port) },
    signal: new AbortController().signal,
  }
  await rig.logged(({ event }) => event === 'history-opened')
  await expect.poll(async () => (await readMinersReport(query)).miners.length).toBeGreaterThan(0)
  expect((await readMinersReport(query)).now).not.toBeNull()
  const other = join(stateDir, 'other')
  const database = await openDatabase({ file: join(other, 'history.sqlite') })
  await migrate(database)
  await database.insert({
    results: [row(0, { at: new Date(), validator: '5Another' })],
    weights: [],
    evidence: [],
  })
  await database.close()
  expect(await readMinersReport({ ...query, stateDir: other })).toMatchObject({
    source: 'embedded',
    now: null,
    miners: [{ hotkey: '5Hot' }],
  })
  await validator.stop()
})

test.each([
  ['create table other (x integer)', /no such table: results/, 'Start the validator once with this release'],
  ['create view results as select 1 as at', /no such column/, 'Start the validator once with this release'],
  [
    "create view results as select 'h' as hotkey, 'm' as model, abs(-9223372036854775807 - 1) as at",
    /integer overflow/,
    'Try again.',
  ],
])('says why a history cannot be read, and what to do: %s', async (statement, reason, next) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'targon-unreadable-'))
  try {
    const database = await openDatabase({ file: join(stateDir, 'history.sqlite') })
    await database.all(sql.raw(statement))
    await database.close()
    const query = { clock: systemClock, stateDir, statusPort: 0, signal: new AbortController().signal }
    await expect(readMinersReport(query)).rejects.toMatchObject({
      ...{ code: 'HISTORY_UNAVAILABLE', message: expect.stringMatching(reason) },
      next: expect.stringContaining(next),
    })
  } finally {
    await rm(stateDir, { recursive: true })
  }
})
