import { afterAll, beforeAll, expect, it } from 'vitest'
import { requestOf, startVerificationRig, type VerificationRig } from '../support/verification-rig.js'

const COUNT = Math.max(16, Math.round(1000 * Number(process.env.GAUNTLET_SCALE ?? 1)))
const TEMPERATURES = [0, 0.02, 0.1, 0.2, 0.4, 0.6, 0.75, 0.9, 1, 1.3]

let rig: VerificationRig

beforeAll(async () => {
  rig = await startVerificationRig()
})
afterAll(() => rig.close())

it(`fails none of ${COUNT} honest answers, whatever their temperature and the vLLM generation of the miner`, async () => {
  const miners = await Promise.all(
    (['raw', 'processed'] as const).flatMap((logprobsMode) =>
      (['v0', 'v1'] as const).map((dialect) => rig.startMiner({ dialect, logprobsMode })),
    ),
  )
  const failures: string[] = []
  let tokens = 0
  for (let index = 0; index < COUNT; index++) {
    const temperature = TEMPERATURES[index % TEMPERATURES.length] ?? 1
    const request = await requestOf(`honest ${index}`, {
      temperature,
      endpoint: index % 3 === 0 ? 'completion' : 'chat',
      maxTokens: 64 + ((index * 37) % 320),
    })
    const answer = await rig.ask(miners[index % miners.length]?.url ?? '', request)
    const verdict = await rig.verify(request, answer)
    tokens += answer.tokens.length
    if (verdict.kind !== 'verified') failures.push(`${index} T=${temperature}: ${JSON.stringify(verdict)}`)
  }
  expect(failures).toEqual([])
  expect(tokens).toBeGreaterThan(COUNT * 32)
}, 1_800_000)
