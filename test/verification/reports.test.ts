import { describe, expect, it } from 'vitest'
import { judgeStrict } from '../../src/verification/index.js'
import { HONEST_NOISE, simulateAnswer } from '../support/simulated-answer.js'

const TEMPERATURES = [0, 0.1, 0.4, 0.8, 1, 1.3]
const CUTS = {
  none: undefined,
  'Llama 3.1': { topP: 0.9 },
  'Qwen 2.5': { topP: 0.8, topK: 20 },
  'top_p, top_k and min_p': { topP: 0.7, topK: 10, minP: 0.05 },
  'half of the probability': { topP: 0.5 },
  'a model whose files make it greedy': { topK: 1 },
}

describe('an honest server that reports processed logprobs', () => {
  it.each(Object.entries(CUTS))('is verified under the sampling defaults of its model: %s', (name, cut) => {
    for (const temperature of TEMPERATURES)
      for (const noise of Object.values(HONEST_NOISE))
        for (const tokens of [24, 150]) {
          const answer = simulateAnswer(`${name} ${temperature}`, {
            ...{ temperature, tokens, noise, report: 'processed' },
            ...(cut ? { cut } : {}),
          })
          expect(judgeStrict(answer), `T=${temperature}, ${tokens} tokens`).toEqual({ kind: 'verified' })
        }
  })

  it.each([0.95, 0.9, 0.8])('is verified when its operator set top_p to %d', (topP) => {
    for (const temperature of [0.6, 0.8, 1]) {
      const options = {
        temperature,
        tokens: 200,
        report: 'processed',
        cut: { topP },
        isCutKnown: false,
      } as const
      const verdict = judgeStrict(simulateAnswer(`operator ${topP} ${temperature}`, options))
      // Certainty that the model's files do not explain is still OVERFIT.
      if (verdict.kind === 'failed') expect(verdict.cause).toBe('OVERFIT')
      else expect(verdict.kind).toBe('verified')
    }
  })
})

describe('certainty on every token', () => {
  const claimCertainty = (temperature: number, cut?: { topP: number }) => {
    const answer = simulateAnswer(`certain ${temperature}`, {
      temperature,
      tokens: 200,
      ...(cut ? { cut } : {}),
    })
    const verdict = judgeStrict({ ...answer, tokens: answer.tokens.map(({ id }) => ({ id, logprob: 0 })) })
    return verdict.kind === 'failed' ? verdict.cause : verdict.kind
  }

  it.each([0.2, 0.5, 0.8, 1])(
    'fails at temperature %d where the model’s files do not truncate',
    (temperature) => expect(claimCertainty(temperature)).toBe('OVERFIT'),
  )

  it.each([0.5, 0.8, 1])('fails at temperature %d where they do', (temperature) =>
    expect(claimCertainty(temperature, { topP: 0.9 })).toMatch(/^OVERFIT$|^LOGPROB_MISMATCH$/),
  )
})
