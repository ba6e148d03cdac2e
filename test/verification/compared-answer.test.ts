import { describe, expect, it } from 'vitest'
import type { ReferenceEngine } from '../../src/engine/index.js'
import type { ComparedAnswer } from '../../src/evidence/index.js'
import type { Answer, InferenceRequest } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { describeCompared } from '../../src/verification/compared-answer.js'
import { type AnswerComparison, judgeStrict, verifyAnswer } from '../../src/verification/index.js'
import { createRigEngine, MODEL } from '../roles/validator/validator-rig.js'
import { honestComparison } from '../support/answer-comparison.js'
import { simulateAnswer } from '../support/simulated-answer.js'

function comparedOf(comparison: AnswerComparison): ComparedAnswer | undefined {
  let compared: ComparedAnswer | undefined
  judgeStrict(comparison, (answer) => {
    compared = describeCompared(answer, { seed: 5 }, 12)
  })
  return compared
}

describe('describeCompared', () => {
  it('has the columns of the verdict: ids, claims, reference and top of every token', () => {
    const comparison = honestComparison('columns', { tokens: 30 })
    const compared = comparedOf(comparison)
    expect(compared).toMatchObject({
      temperature: 0.8,
      seed: 5,
      promptTokens: 12,
      claimedAt: 1,
      isCut: false,
    })
    expect([...(compared?.tokenIds ?? [])]).toEqual(comparison.tokens.map(({ id }) => id))
    expect([...(compared?.claimed ?? [])]).toEqual(comparison.tokens.map(({ logprob }) => logprob))
    const expected = comparison.tokens.map(
      ({ id }, index) => comparison.reference.positions[index]?.get(id)?.logprob,
    )
    expect([...(compared?.reference ?? [])]).toEqual(expected)
    expect(compared?.top.starts.length).toBe(32)
  })

  it.each([0.3, 0.7, 0.9])('tells scaled from raw logprobs at temperature %d', (temperature) => {
    const noise = { usual: 0.1 }
    const options = { temperature, tokens: 100, noise }
    expect(comparedOf(simulateAnswer('claims', options))?.claimedAt).toBe(1)
    expect(comparedOf(simulateAnswer('claims', { ...options, report: 'processed' }))?.claimedAt).toBe(
      temperature,
    )
  })

  it('does not guess what was claimed where a cut may have changed it', () => {
    const cut = comparedOf({ ...honestComparison('cut'), mayBeCut: true })
    expect(cut).toMatchObject({ isCut: true, claimedAt: Number.NaN })
    expect(comparedOf({ ...honestComparison('cut', { temperature: 0 }), mayBeCut: true })?.claimedAt).toBe(1)
  })

  it('gives nothing with an engine that scales its logprobs', () => {
    const comparison = honestComparison('scaled')
    expect(
      comparedOf({ ...comparison, facts: { ...comparison.facts, scaledLogprobs: true } }),
    ).toBeUndefined()
  })
})

describe('verifyAnswer', () => {
  const tokens = Array.from({ length: 8 }, (_, id) => ({ text: ` w${id}`, tokenId: id, logprob: -0.1 }))
  const answer: Answer = {
    ...{ tokens, text: tokens.map(({ text }) => text).join(''), finishReason: 'length', status: 200 },
    ...{ fault: undefined, chunks: 8, lostTokens: false, tokensPerSecond: 50, burstShare: 0 },
    timing: { timeToFirstTokenMs: 1, timeForAllTokensMs: 1, totalMs: 2 },
  }
  const request: InferenceRequest = {
    ...{ model: MODEL, endpoint: 'completion', prompt: 'Hello', temperature: 0, maxTokens: 8 },
  }
  const run = async (
    engine: ReferenceEngine,
    change: Partial<Answer> = {},
    rules: 'strict' | 'targon-4' = 'strict',
  ) => {
    const seen: ComparedAnswer[] = []
    const { signal } = new AbortController()
    const verdict = await verifyAnswer({
      ...{ request, answer: { ...answer, ...change }, engine, rules, clock: systemClock, signal },
      onCompared: (compared) => seen.push(compared),
    })
    return { kind: verdict.kind, seen: seen.length, promptTokens: seen[0]?.promptTokens }
  }

  it('hands out an answer once, whatever the verdict on its tokens', async () => {
    expect(await run(createRigEngine())).toEqual({ kind: 'verified', seen: 1, promptTokens: 3 })
    const lying = tokens.map((token) => ({ ...token, logprob: -9 }))
    expect(await run(createRigEngine(), { tokens: lying })).toMatchObject({ kind: 'failed', seen: 1 })
  })

  it('hands out nothing that was not compared, or by an engine that has been replaced', async () => {
    const fault = { cause: 'BAD_STREAM', detail: '' } as const
    expect(await run(createRigEngine(), { fault })).toMatchObject({ kind: 'failed', seen: 0 })
    expect(await run(createRigEngine(), {}, 'targon-4')).toMatchObject({ seen: 0 })
    const replaced = createRigEngine()
    const { score } = replaced
    const changing: ReferenceEngine = Object.assign(replaced, {
      score: async (...call: Parameters<typeof score>) => {
        Object.assign(replaced, { facts: replaced.facts && { ...replaced.facts } })
        return await score(...call)
      },
    })
    expect(await run(changing)).toMatchObject({ kind: 'inconclusive', seen: 0 })
  })
})
