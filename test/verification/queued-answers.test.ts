import { afterAll, beforeAll, expect, it } from 'vitest'
import { burstRuleOf } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { createRandom, makePrompt } from '../../src/prompts/index.js'
import { MODEL, requestOf, startVerificationRig, type VerificationRig } from '../support/verification-rig.js'

const PARALLEL_REQUESTS = 9

let rig: VerificationRig

beforeAll(async () => {
  rig = await startVerificationRig()
})
afterAll(() => rig.close())

it('verifies all answers of an honest miner that queues requests, where 4.4.1 fails the last', async () => {
  const request = await requestOf('queue', { temperature: 0.6, maxTokens: 72, endpoint: 'completion' })
  const askAll = async (fromTokensPerSecond: number) => {
    const miner = await rig.startMiner({ maxConcurrentSequences: 1, tokensPerSecond: 75 })
    const burst = burstRuleOf(fromTokensPerSecond)
    return Promise.all(
      Array.from({ length: PARALLEL_REQUESTS }, () => rig.ask(miner.url, request, { burst })),
    )
  }
  const [answers, old] = await Promise.all([askAll(500), askAll(0)])
  const verdicts = await Promise.all(answers.map((answer) => rig.verify(request, answer)))
  expect(verdicts).toEqual(answers.map(() => ({ kind: 'verified' })))
  expect(old.filter(({ fault }) => fault?.cause === 'BAD_STREAM').length).toBeGreaterThan(0)
})

it('gives ten hotkeys on one GPU a tenth of its speed, because one answer cannot serve two requests', async () => {
  const tokensPerSecond = 300
  const miner = await rig.startMiner({ maxConcurrentSequences: 1, tokensPerSecond })
  const prompt = await makePrompt(
    {
      model: MODEL,
      endpoints: ['chat'],
      maxTokens: { min: 64, max: 64 },
      random: createRandom('one card'),
      clock: systemClock,
    },
    new AbortController().signal,
  )
  const requests = Array.from({ length: 10 }, (_, index) => prompt.forMiner(`hotkey ${index}`))
  const answers = await Promise.all(requests.map((request) => rig.ask(miner.url, request)))
  const judge = async (request = requests[0], answer = answers[0]) => {
    const verdict = request && answer && (await rig.verify(request, answer))
    return verdict?.kind === 'failed' ? verdict.cause : verdict?.kind
  }
  for (const [index, answer] of answers.entries())
    expect(await judge(requests[index], answer)).toBe('verified')
  const slowest = Math.min(...answers.map((answer) => answer.tokensPerSecond))
  expect(slowest).toBeLessThan(tokensPerSecond / 8)
  expect(await judge(requests[1], answers[0])).toBe('UNLIKELY_TOKEN')
})
