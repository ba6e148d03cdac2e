import { afterAll, beforeAll, expect, it } from 'vitest'
import { burstRuleOf, STRICT_BURST_RULE } from '../../src/inference/index.js'
import { requestOf, startVerificationRig, type VerificationRig } from '../support/verification-rig.js'
import { GAUNTLET_SCALE } from './scale.js'
import { startTally } from './tally.js'

const COUNT = Math.max(16, Math.round(1000 * GAUNTLET_SCALE))
const TEMPERATURES = [0, 0.02, 0.1, 0.2, 0.4, 0.6, 0.75, 0.9, 1, 1.3]

let rig: VerificationRig

beforeAll(async () => {
  rig = await startVerificationRig()
})
afterAll(() => rig.close())

it(`fails none of ${COUNT} honest answers, for any temperature and vLLM generation`, async ({ task }) => {
  const tally = startTally(task, { fault: 'F28', kind: 'honest answers', full: 1000 })
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
    if (verdict.kind === 'verified') tally.count++
    else failures.push(`${index} T=${temperature}: ${JSON.stringify(verdict)}`)
  }
  expect(failures).toEqual([])
  expect(tokens).toBeGreaterThan(COUNT * 32)
}, 1_800_000)

const ROUNDS = Math.max(1, Math.round(4 * GAUNTLET_SCALE))
/** The server handles this many at once, an eighth of the requests: the last ones mostly wait. */
const AT_ONCE = GAUNTLET_SCALE >= 1 ? 4 : 2
const ASKED_AT_ONCE = 8 * AT_ONCE
/** Slow enough that an answer takes more than a second, so that a stall of the machine does not look like a burst. */
const TOKENS_PER_SECOND = 65

it(`fails none of ${ROUNDS * ASKED_AT_ONCE} honest queued answers; control: the burst test of 4.4.1 fails some`, async ({
  task,
}) => {
  const tally = startTally(task, { fault: 'F28', kind: 'honest answers that waited in a queue', full: 128 })
  const queue = { maxConcurrentSequences: AT_ONCE, tokensPerSecond: TOKENS_PER_SECOND }
  const failures: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const request = await requestOf(`queue ${round}`, { temperature: 0.5 + 0.1 * round, maxTokens: 80 })
    const askAll = async (fromTokensPerSecond: number) => {
      const miner = await rig.startMiner(queue)
      const burst = burstRuleOf(fromTokensPerSecond)
      return Promise.all(Array.from({ length: ASKED_AT_ONCE }, () => rig.ask(miner.url, request, { burst })))
    }
    const [answers, old] = await Promise.all([askAll(STRICT_BURST_RULE.minTokensPerSecond), askAll(0)])
    for (const answer of answers) {
      const verdict = await rig.verify(request, answer)
      if (verdict.kind === 'verified') tally.count++
      else failures.push(`${round}: ${JSON.stringify(verdict)}`)
    }
    expect(old.filter(({ fault }) => fault !== undefined)).not.toEqual([])
  }
  expect(failures).toEqual([])
}, 600_000)
