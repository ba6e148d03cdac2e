import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/prompts/index.js'
import { type AnswerComparison, judgeStrict } from '../../../src/verification/index.js'
import { HONEST_NOISE, simulateAnswer } from '../../support/simulated-answer.js'

const TEMPERATURES = [0, 0.2, 0.5, 0.8, 1]
const LENGTHS = [128, 512]

type Claim = (logprob: number, dice: number) => number

const INVENTIONS: Readonly<Record<string, Claim>> = {
  '-0.05 for every token': () => -0.05,
  '-0.7 for every token': () => -0.7,
  'the true value ± 0.6 nats': (logprob, dice) => Math.min(0, logprob + 1.2 * (dice - 0.5)),
  'the true value ± 0.3 nats': (logprob, dice) => Math.min(0, logprob + 0.6 * (dice - 0.5)),
  'any value between 3 and 40 %': (_, dice) => Math.log(0.03 + 0.37 * dice),
}

/** Honest answers, which every invention changes alike: one of each temperature and length. */
const ANSWERS = TEMPERATURES.flatMap((temperature) =>
  LENGTHS.map((tokens) => simulateAnswer('inventions', { temperature, tokens })),
)

function invent(answer: AnswerComparison, claim: Claim): AnswerComparison {
  const random = createRandom('claims')
  return {
    ...answer,
    tokens: answer.tokens.map(({ id, logprob }) => ({ id, logprob: claim(logprob, random.next()) })),
  }
}

describe('checkAgreement', () => {
  it.each(Object.entries(INVENTIONS))('fails invented logprobs: %s', (_, claim) => {
    // one answer of each length: the claims are off by far more than an answer's own noise
    for (const answer of ANSWERS) {
      const verdict = judgeStrict(invent(answer, claim))
      const which = `T=${answer.temperature}, ${answer.tokens.length} tokens`
      expect(verdict, which).toMatchObject({ cause: 'LOGPROB_MISMATCH' })
    }
  })

  it.each(Object.entries(HONEST_NOISE))('verifies the noise of an honest server: %s', (name, noise) => {
    for (const temperature of TEMPERATURES)
      for (const tokens of [24, 96, 512])
        for (const report of ['raw', 'processed'] as const) {
          const answer = simulateAnswer(`${name} ${tokens}`, { temperature, tokens, noise, report })
          expect(judgeStrict(answer), `T=${temperature}, ${tokens} tokens`).toEqual({ kind: 'verified' })
        }
  })

  it('says how far the logprobs are off', () => {
    const answer = simulateAnswer('off', { temperature: 0.8, tokens: 200 })
    const claim = INVENTIONS['the true value ± 0.6 nats']
    expect(claim && judgeStrict(invent(answer, claim))).toMatchObject({
      detail: expect.stringMatching(
        /^Logprobs differ as if every logit were shifted by [\d.]+ nats on average over 200/,
      ),
    })
  })
})
