import { setMaxListeners } from 'node:events'
import { expect, test } from 'vitest'
import { LeapingClock } from '../../../bench/soak/leaping-clock.js'
import { createSoakEngine, SimulatedMiners, TOKENS } from '../../../bench/soak/simulated-miners.js'
import type { Answer } from '../../../src/inference/index.js'
import { createRandom } from '../../../src/prompts/index.js'
import { completionRequest, servingMiner } from '../../roles/validator/rounds/round-parts.js'

const ANSWERS = 400

async function askAll(): Promise<{ answers: Answer[]; held: number }> {
  const clock = new LeapingClock(0)
  const miners = new SimulatedMiners(clock, createRandom('miners'))
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  const asked = Array.from({ length: ANSWERS }, () =>
    miners.prepare(completionRequest(TOKENS), servingMiner(1))(stopping.signal),
  )
  clock.leap(3000)
  await clock.quiet()
  const held = miners.streaming
  stopping.abort()
  const answers = await Promise.all(asked)
  expect(miners.streaming).toBe(0)
  return { answers, held }
}

test('most answers are whole, and a few of each fault are among them', async () => {
  const { answers, held } = await askAll()
  const whole = answers.filter(({ status, fault }) => status === 200 && !fault)
  expect(whole.length / ANSWERS).toBeGreaterThan(0.85)
  expect(whole.every(({ tokens }) => tokens.length === TOKENS)).toBe(true)
  const cut = answers.filter(({ fault }) => fault?.cause === 'aborted')
  expect(cut).toHaveLength(held)
  for (const some of [
    cut,
    answers.filter(({ status }) => status === 503),
    answers.filter(({ fault }) => fault?.cause === 'TIMEOUT'),
  ])
    expect(some.length).toBeGreaterThan(0)
})

test('the engine knows the answers of the miners and finds made-up ones unlikely', async () => {
  const engine = createSoakEngine('org/m')
  const { answers } = await askAll()
  const whole = answers.filter(({ tokens }) => tokens.length === TOKENS)
  const likely = await Promise.all(
    whole.map(async ({ tokens }) => {
      const output = tokens.map(({ tokenId }) => tokenId ?? -1)
      const { positions } = await engine.score(
        { prompt: [1], output } as unknown as Parameters<typeof engine.score>[0],
        new AbortController().signal,
      )
      return (positions[0]?.get(output[0] ?? -1)?.rank ?? 0) < 1000
    }),
  )
  expect(likely).toContain(false)
  expect(likely.filter(Boolean).length / whole.length).toBeGreaterThan(0.9)
})
