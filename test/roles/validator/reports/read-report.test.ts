import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../../../src/kernel/clock.js'
import { readMinersReport } from '../../../../src/roles/validator/index.js'
import { checkUnderLoad, type ReportRig, startReportRig, verifiedIn } from './report-rig.js'

let bench: ReportRig | undefined
afterEach(async () => {
  await bench?.close()
  bench = undefined
})

test('reads the embedded history from the running validator, and from the database once it has stopped', async () => {
  bench = await startReportRig({})
  const { rig, report } = bench
  const validator = await rig.start()
  const statusPort = Number(new URL(validator.url).port)
  // Opening it blocks the thread on which answers are timed: no miner is queried before.
  await rig.logged(({ event }) => event === 'history-opened')
  const seen = rig.log.map(({ event }) => event)
  expect(seen.slice(0, seen.indexOf('history-opened'))).not.toContain('verdict')
  await checkUnderLoad(bench, 'validator', statusPort)
  // A report with the wrong port must not open the database a second time.
  const { signal } = new AbortController()
  const elsewhere = { clock: systemClock, stateDir: rig.deps.stateDir, statusPort: 1, signal }
  await expect(readMinersReport(elsewhere)).rejects.toMatchObject({ code: 'HOTKEY_IN_USE' })
  const { verdicts } = await validator.stop()
  const after = await report(statusPort)
  expect(after.source).toBe('embedded')
  expect(verifiedIn(after)).toBe(verdicts.verified)
})
