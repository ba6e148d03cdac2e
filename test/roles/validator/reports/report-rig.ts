import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import ValidatorReport from '../../../../src/commands/validator/report.js'
import type { ValidatorSettings } from '../../../../src/config/index.js'
import type { ExplainedReport } from '../../../../src/roles/index.js'
import { runCommand } from '../../../support/cli.js'
import { type FakeMiner, startFakeMiner } from '../../../support/fake-miner.js'
import { createRig, MODEL, type Rig } from '../validator-rig.js'

/** A validator under load, whose folder the command finds by the wallet names. */
export interface ReportRig {
  readonly rig: Rig
  /** Runs `targon validator report … --json` for the validator on this status port. */
  report(statusPort: number, ...words: string[]): Promise<ExplainedReport>
  close(): Promise<void>
}

export async function startReportRig(settings: Partial<ValidatorSettings>): Promise<ReportRig> {
  const folder = await mkdtemp(join(tmpdir(), 'targon-report-rig-'))
  const stateDir = join(folder, 'w', 'h', 'netuid4', 'validator')
  await mkdir(stateDir, { recursive: true })
  const miners: FakeMiner[] = []
  for (const behaviour of ['honest', 'honest', 'liar', 'refuses'] as const)
    miners.push(await startFakeMiner({ models: [MODEL], gapMs: 1, behaviour }))
  // Lists only another model.
  miners.push(await startFakeMiner({ models: ['org/other'] }))
  const rig = await createRig(
    miners,
    { history: true, ...settings },
    { stateDir, models: { current: () => [MODEL, 'org/other'], refresh: async () => {} } },
  )
  return {
    rig,
    report: async (statusPort, ...words) => {
      const where = ['--logging.logging_dir', folder, '--wallet.name', 'w', '--wallet.hotkey', 'h']
      const argv = [...words, '--json', '--metrics.port', String(statusPort), ...where]
      const { status, result, stderr } = await runCommand(ValidatorReport, argv)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      return result as ExplainedReport
    },
    close: async () => {
      await rig.dispose()
      for (const miner of miners) await miner.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export function verifiedIn({ miners }: ExplainedReport): number {
  return miners.reduce(
    (sum, { models }) => sum + models.reduce((inner, { verdicts }) => inner + verdicts.verified, 0),
    0,
  )
}

/** Makes reports while rounds run: every one is complete and no count decreases. */
export async function checkUnderLoad(
  { rig, report }: ReportRig,
  source: ExplainedReport['source'],
  statusPort: number,
  ...words: string[]
): Promise<void> {
  let last = await report(statusPort, ...words)
  const firstRound = last.validator?.rounds ?? 0
  const first = verifiedIn(last)
  // A verdict is visible before its round has ended: both must have advanced.
  const hasAdvanced = () => verifiedIn(last) > first && (last.validator?.rounds ?? 0) > firstRound
  for (let made = 1; made < 5 || !hasAdvanced(); made++) {
    const next = await report(statusPort, ...words)
    expect(next.source).toBe(source)
    expect(verifiedIn(next)).toBeGreaterThanOrEqual(verifiedIn(last))
    last = next
  }
  const [cheat] = (await report(statusPort, '3', ...words)).miners
  expect(cheat?.models[0]?.verdicts.failed).toHaveProperty('LOGPROB_MISMATCH')
  expect(cheat?.models[0]?.lastFailures[0]?.detail).toMatch(/\d/)
  expect(cheat?.score).toBe(0)
  // It was never queried for the model, but its window has the misses.
  const [idle] = (await report(statusPort, '5', ...words)).miners
  expect(idle?.models).toMatchObject([{ model: MODEL, verdicts: { verified: 0, failed: {} } }])
  expect(idle?.models[0]?.notServing).toBeGreaterThan(0)
  expect(idle?.models[0]?.notServing).toBe(idle?.models[0]?.window.length)
  expect(rig.log.filter(({ level }) => Number(level) >= 50)).toEqual([])
}
