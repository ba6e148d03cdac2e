import { expect, it } from 'vitest'
import { z } from 'zod'
import { runCli } from '../support/cli-process.js'

const report = z.object({
  miners: z.array(
    z.object({
      behaviour: z.string(),
      verdicts: z.object({ verified: z.number() }),
      evidence: z.string(),
      weightU16: z.number(),
    }),
  ),
  hub: z.object({ answered: z.number(), failed: z.number(), byMiner: z.record(z.string(), z.number()) }),
})

// Speed decides verdicts here, and another suite runs beside: a stall of the machine can fail an honest miner.
const retry = process.env.CI ? 1 : 0

it('a localnet with a hub: users are answered, and the miner that cheats only them ends at weight 0', {
  timeout: 460_000,
  retry,
}, async () => {
  const honest = ['honest-fast', 'honest-medium', 'honest-both'].flatMap((name) => ['--miners', name])
  const { stdout } = await runCli([
    ...['localnet', '--hub', ...honest, '--epochs', '3', '--json', '--seed', 'hub'],
  ])
  const { miners, hub } = report.parse(JSON.parse(stdout))
  expect(hub.answered).toBeGreaterThan(20)
  expect(hub.failed).toBeLessThan(hub.answered / 10)
  expect(Object.keys(hub.byMiner).length).toBeGreaterThan(2)
  const twoFaced = miners.find(({ behaviour }) => behaviour === 'two-faced')
  expect(twoFaced).toMatchObject({ evidence: 'barred', weightU16: 0 })
  expect(twoFaced?.verdicts.verified, 'the validator’s own rounds show nothing').toBeGreaterThan(0)
  for (const { behaviour, evidence, weightU16 } of miners)
    if (behaviour === 'honest') expect([evidence, weightU16 > 0]).toEqual(['clean', true])
})
