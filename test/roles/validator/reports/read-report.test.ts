import { join } from 'node:path'
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
