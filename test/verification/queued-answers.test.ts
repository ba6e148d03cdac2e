import { afterAll, beforeAll, expect, it } from 'vitest'
import { burstRuleOf } from '../../src/inference/index.js'
import { requestOf, startVerificationRig, type VerificationRig } from '../support/verification-rig.js'

const ASKED_AT_ONCE = 9

let rig: VerificationRig

beforeAll(async () => {
  rig = await startVerificationRig()
}, 30_000)
afterAll(() => rig.close())

it('an honest miner whose answers wait for one another fails none of them, where 4.4.1’s test fails the last', async () => {
  const miner = await rig.startMiner({ maxConcurrentSequences: 1, tokensPerSecond: 150 })
  const request = await requestOf('queue', { temperature: 0.6, maxTokens: 72, endpoint: 'completion' })
  const askAll = (burst: ReturnType<typeof burstRuleOf>) =>
    Promise.all(Array.from({ length: ASKED_AT_ONCE }, () => rig.ask(miner.url, request, { burst })))
  const [answers, old] = [await askAll(burstRuleOf(500)), await askAll(burstRuleOf(0))]
  const verdicts = await Promise.all(answers.map((answer) => rig.verify(request, answer)))
  expect(verdicts).toEqual(answers.map(() => ({ kind: 'verified' })))
  expect(old.filter(({ fault }) => fault?.cause === 'BAD_STREAM').length).toBeGreaterThan(0)
}, 60_000)
