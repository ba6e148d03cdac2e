import { describe, expect, it } from 'vitest'
import type { ReferenceEngine } from '../../src/engine/index.js'
import type { Answer, InferenceRequest } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { TargonError } from '../../src/kernel/errors.js'
import { verifyAnswer } from '../../src/verification/index.js'
import { FACTS, honestComparison } from '../support/answer-comparison.js'

const evidence = honestComparison('answer', { tokens: 40 })
const text = 'The answer.'
const request: InferenceRequest = {
  model: 'org/m',
  temperature: evidence.temperature,
  maxTokens: 40,
  endpoint: 'completion',
  prompt: 'Q',
}
const answer: Answer = {
  tokens: evidence.tokens.map(({ id, logprob }) => ({ text: 'x', tokenId: id, logprob })),
  text,
  finishReason: 'length',
  timing: { timeToFirstTokenMs: 1, timeForAllTokensMs: 2, totalMs: 3 },
  tokensPerSecond: 10,
  status: 200,
  fault: undefined,
  chunks: 40,
  lostTokens: false,
  burstShare: 0,
}

function engineOf(change: Partial<ReferenceEngine> = {}): { engine: ReferenceEngine; calls: string[] } {
  const calls: string[] = []
  const recorded = <T>(name: string, value: T) => {
    calls.push(name)
    return Promise.resolve(value)
  }
  const engine: ReferenceEngine = {
    model: 'org/m',
    facts: FACTS,
    unreadyReason: undefined,
    tokenizeChat: () => recorded('tokenize', [1, 5]),
    tokenizeText: () => recorded('tokenize', [1, 5]),
    detokenize: () => recorded('detokenize', text),
    score: () => recorded('score', evidence.reference),
    generate: () => recorded('generate', ''),
    ...change,
  }
  return { engine, calls }
}

const verify = (
  engine: ReferenceEngine,
  change: Partial<Answer> = {},
  signal = new AbortController().signal,
) =>
  verifyAnswer({
    request,
    answer: { ...answer, ...change },
    engine,
    rules: 'strict',
    clock: systemClock,
    signal,
  })

const fault = (code: string) => new TargonError(code, { code, fault: 'upstream' })

describe('verifyAnswer under strict', () => {
  it('needs one scoring and one detokenize call', async () => {
    const { engine, calls } = engineOf()
    expect(await verify(engine)).toEqual({ kind: 'verified' })
    expect(calls.sort()).toEqual(['detokenize', 'score', 'tokenize'])
  })

  it.each<[string, Partial<Answer>, string]>([
    [
      'no logprobs',
      { tokens: answer.tokens.map((token) => ({ ...token, logprob: undefined })) },
      'NO_LOGPROBS',
    ],
    [
      '-100 for a logprob',
      { tokens: answer.tokens.map((token) => ({ ...token, logprob: -100 })) },
      'NO_LOGPROBS',
    ],
    [
      'a probability above one',
      { tokens: answer.tokens.map((token) => ({ ...token, logprob: 5 })) },
      'LOGPROB_MISMATCH',
    ],
    [
      'an id beyond the vocabulary',
      { tokens: answer.tokens.map((token) => ({ ...token, tokenId: 2 ** 31 })) },
      'BAD_TOKEN',
    ],
    [
      'half a surrogate',
      { tokens: answer.tokens.map((token) => ({ ...token, text: '\ud800' })) },
      'BAD_TOKEN',
    ],
    ['lost tokens', { lostTokens: true }, 'MULTI_TOKEN_CHUNK'],
    ['a bad stream', { fault: { cause: 'STREAM_LIMIT', detail: 'too long' } }, 'STREAM_LIMIT'],
    ['a refusal', { status: 429 }, 'BAD_STREAM'],
  ])('fails without a call to the engine for %s', async (_, change, cause) => {
    const { engine, calls } = engineOf()
    expect(await verify(engine, change)).toMatchObject({ kind: 'failed', cause })
    expect(calls).toEqual([])
  })

  it.each([
    ['The answer', 'TOKEN_TEXT_MISMATCH'],
    ['', 'TOKEN_TEXT_MISMATCH'],
    ['The answer.\uFFFD', 'verified'],
    [' The answer.', 'verified'],
    ['The answer.|end|', 'TOKEN_TEXT_MISMATCH'],
  ])('for ids that spell %j: %s', async (spelled, expected) => {
    const verdict = await verify(engineOf({ detokenize: async () => spelled }).engine)
    expect(verdict.kind === 'failed' ? verdict.cause : verdict.kind).toBe(expected)
  })

  describe('an end token', () => {
    const end = FACTS.eosTokenIds[0] ?? -1
    const word = (id: number) => (id === end ? '⟦FIN⟧' : 'x')
    const detokenize = async (ids: readonly number[]) => ids.map(word).join('')
    const ids = evidence.tokens.map(({ id }) => id)
    const visible = 'x'.repeat(ids.length - 1)
    /** The answer with these ids for its last tokens, and this text for the very last. */
    const endingWith = (last: readonly number[], text: string) => {
      const changed = [...ids.slice(0, -last.length), ...last]
      const tokens = changed.map((id) => ({ tokenId: id, logprob: -0.1, text: 'x' }))
      return { tokens: [...tokens.slice(0, -1), { tokenId: changed.at(-1), logprob: -0.1, text }] }
    }
    const judge = async (last: readonly number[], text: string, streamed: string) => {
      const tokens = endingWith(last, text)
      const verdict = await verify(engineOf({ detokenize }).engine, { ...tokens, text: streamed })
      return verdict.kind === 'failed' ? verdict.cause : verdict.kind
    }

    it('may be streamed last without text', async () => {
      expect(await judge([end], '', visible)).not.toBe('TOKEN_TEXT_MISMATCH')
    })

    it('may be streamed as its text', async () => {
      expect(await judge([end], '⟦FIN⟧', `${visible}⟦FIN⟧`)).not.toBe('TOKEN_TEXT_MISMATCH')
    })

    it.each([
      ['hides another token after it', [end, 7], 'x', 'x'.repeat(ids.length - 2)],
      ['is hidden twice', [end, end], '', 'x'.repeat(ids.length - 2)],
      ['is streamed as other text', [end], 'lie', `${visible}lie`],
      ['is missing and another token has no text', [7], '', visible],
    ])('fails when it %s', async (_, last, text, streamed) => {
      expect(await judge(last, text, streamed)).toBe('TOKEN_TEXT_MISMATCH')
    })
  })

  it.each(['ENGINE_UNAVAILABLE', 'ENGINE_ANSWER'])('is inconclusive for %s', async (code) => {
    for (const name of ['score', 'tokenizeText', 'detokenize'] as const) {
      const verdict = await verify(engineOf({ [name]: () => Promise.reject(fault(code)) }).engine)
      expect(verdict.kind).toBe('inconclusive')
    }
  })

  describe('an answer of one token', () => {
    const end = FACTS.eosTokenIds[0] ?? -1
    const positions = [new Map([[end, { logprob: -0.3, rank: 1 }]])]
    const score = async () => ({ positions, next: new Map() })
    const tokens = [{ tokenId: end, logprob: -0.3, text: '' }]
    const { engine } = engineOf({ score, detokenize: async () => '' })

    it('is verified without a speed when the model ends at once', async () => {
      expect(await verify(engine, { tokens, text: '', finishReason: 'stop' })).toEqual({
        kind: 'verified',
        hasNoSpeed: true,
      })
    })

    it('is too short without the reason `stop`, and so is an answer without tokens', async () => {
      const short = { kind: 'failed', cause: 'TOO_SHORT' }
      expect(await verify(engine, { tokens, text: '', finishReason: 'length' })).toMatchObject(short)
      expect(await verify(engine, { tokens: [], text: '', finishReason: 'stop' })).toMatchObject(short)
    })
  })

  it('fails an answer whose ids the engine rejects while it accepts the prompt’s', async () => {
    const { engine } = engineOf({
      score: ({ output }) =>
        output.length > 3
          ? Promise.reject(fault('ENGINE_REFUSED'))
          : Promise.resolve({ positions: output.map(() => new Map()), next: new Map() }),
    })
    expect(await verify(engine)).toMatchObject({ kind: 'failed', cause: 'BAD_TOKEN' })
  })

  it('is inconclusive when the engine rejects everything', async () => {
    const { engine } = engineOf({ score: () => Promise.reject(fault('ENGINE_REFUSED')) })
    expect((await verify(engine)).kind).toBe('inconclusive')
  })

  it('is inconclusive while the engine is not ready, and when the request was aborted', async () => {
    const { engine } = engineOf({ facts: undefined, unreadyReason: 'config.json is missing' })
    expect(await verify(engine)).toEqual({
      kind: 'inconclusive',
      reason: 'engine-unavailable',
      detail: 'config.json is missing',
    })
    expect(await verify(engineOf().engine, { fault: { cause: 'aborted', detail: 'stop' } })).toMatchObject({
      kind: 'inconclusive',
      reason: 'aborted',
    })
  })
})
