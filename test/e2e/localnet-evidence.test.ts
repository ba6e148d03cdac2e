import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { z } from 'zod'

const run = promisify(execFile)
const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** Within this many epochs of half a minute the quantised miner has given the few answers that decide, also on a busy machine. */
const EPOCHS = 6

const report = z.object({
  miners: z.array(
    z.object({
      behaviour: z.string(),
      verdicts: z.object({ verified: z.number(), failed: z.record(z.string(), z.number()) }),
      evidence: z.string(),
      weightU16: z.number(),
    }),
  ),
})

it('gives a quantised miner weight 0 within six epochs by evidence alone, and never accuses an honest one', async () => {
  const { stdout, stderr } = await run(
    process.execPath,
    [bin, 'localnet', '--epochs', String(EPOCHS), '--json', '--seed', 'evidence'],
    { timeout: 880_000, maxBuffer: 16 << 20 },
  )
  const { miners } = report.parse(JSON.parse(stdout))
  const quantised = miners.find(({ behaviour }) => behaviour === 'int4')
  expect(quantised).toMatchObject({ evidence: 'barred', weightU16: 0, verdicts: { failed: {} } })
  expect(quantised?.verdicts.verified).toBeGreaterThan(2)
  expect(stderr).toMatch(/cheat-int4 {2}evidence: barred\. .*differ from the model/)
  for (const { behaviour, evidence, weightU16 } of miners) {
    if (behaviour !== 'honest') continue
    expect(evidence).toBe('clean')
    expect(weightU16).toBeGreaterThan(0)
  }
  // not in an earlier epoch either
  expect(stderr).not.toMatch(/honest-\w+ {2}evidence/)
}, 900_000)
