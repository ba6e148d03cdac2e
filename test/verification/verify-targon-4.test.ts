import { describe, expect, it } from 'vitest'
import type { ReferenceEngine, ScoreRequest } from '../../src/engine/index.js'
import type { Answer, InferenceRequest } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { TargonError } from '../../src/kernel/errors.js'
import { verifyAnswer } from '../../src/verification/index.js'
import { FACTS } from '../support/answer-comparison.js'

const IDS = Array.from({ length: 12 }, (_, index) => 100 + index)
const request: InferenceRequest = {
  model: 'org/m',
  temperature: 0.5,
  maxTokens: IDS.length,
  endpoint: 'completion',
  prompt: 'Q',
}
const answer: Answer = {
  tokens: IDS.map((id) => ({ text: String.fromCharCode(id), tokenId: id, logprob: -0.5 })),
  text: '',
  finishReason: 'length',
  timing: { timeToFirstTokenMs: 1, timeForAllTokensMs: 2, totalMs: 3 },
  tokensPerSecond: 10,
  status: 200,
  fault: undefined,
  chunks: IDS.length,
  lostTokens: false,
  burstShare: 0,
}

/** A character is a token; after the text, the next id is the likeliest. */
function engineOf(change: Partial<ReferenceEngine> = {}) {
  const scored: ScoreRequest[] = []
  const top = (id: number) => new Map([[id, { logprob: -0.5, rank: 1 }]])
  const engine: ReferenceEngine = {
    model: 'org/m',
    facts: FACTS,
    unreadyReason: undefined,
    tokenizeChat: async () => [1],
    tokenizeText: async (text) => [...text].map((character) => character.charCodeAt(0)),
    detokenize: async () => '',
    score: async (call) => {
      scored.push(call)
      // 4.4.1 gets two more positions than the text has tokens.
      const output = [...call.output, 0, 0]
      return { positions: output.map(top), next: top(100 + call.output.length) }
    },
    generate: async () => '',
    ...change,
  }
  return { engine, scored }
}

const verify = (
  engine: ReferenceEngine,
  change: Partial<Answer> = {},
  changed: Partial<InferenceRequest> = {},
) =>
  verifyAnswer({
    request: { ...request, ...changed } as InferenceRequest,
    answer: { ...answer, ...change },
    engine,
    rules: 'targon-4',
    clock: systemClock,
    signal: new AbortController().signal,
  })

describe('verifyAnswer under targon-4', () => {
  it('scores the tokenized text, then continues it at five positions', async () => {
    const { engine, scored } = engineOf()
    expect(await verify(engine)).toEqual({ kind: 'verified' })
    expect(scored[0]).toMatchObject({ output: IDS, topK: 11 })
    const positions = scored.slice(1).map(({ output }) => output.length)
    expect(positions).toHaveLength(5)
    expect(positions).toEqual(expect.arrayContaining([0, IDS.length - 1]))
    expect(scored.slice(1).every(({ topK }) => topK === 8)).toBe(true)
  })

  it('omits the random check above temperature 0.75', async () => {
    const { engine, scored } = engineOf()
    expect(await verify(engine, {}, { temperature: 0.9 })).toEqual({ kind: 'verified' })
    expect(scored).toHaveLength(1)
  })

  it('fails an id that the engine would not continue with', async () => {
    const { engine } = engineOf()
    const tokens = answer.tokens.map((token, index) => (index === 11 ? { ...token, tokenId: 5 } : token))
    expect(await verify(engine, { tokens })).toMatchObject({ kind: 'failed', cause: 'LOGPROB_RANDOM' })
  })

  it('fails a bad stream without a call to the engine', async () => {
    const { engine, scored } = engineOf()
    const fault = { cause: 'BAD_STREAM', detail: 'the stream ended early' } as const
    expect(await verify(engine, { fault })).toMatchObject({ kind: 'failed', cause: 'BAD_STREAM' })
    expect(scored).toEqual([])
  })

  it('reaches no verdict when the engine returns too few logprobs', async () => {
    const { engine } = engineOf({ facts: { ...FACTS, maxLogprobs: 5 } })
    expect(await verify(engine)).toMatchObject({ kind: 'inconclusive', reason: 'no-verdict' })
  })

  it('takes the end token of the tokenizer, not the first of generation_config.json', async () => {
    const top = (id: number) => new Map([[id, { logprob: -0.5, rank: 1 }]])
    const endings = {
      score: async ({ output }: ScoreRequest) => ({ positions: [...output, 0, 0].map(top), next: top(9) }),
    }
    const early = { maxTokens: 50, temperature: 0.9 }
    const { engine } = engineOf({ ...endings, facts: { ...FACTS, eosTokenIds: [2, 9], tokenizerEosId: 9 } })
    expect(await verify(engine, {}, early)).toEqual({ kind: 'verified' })
    const other = engineOf({ ...endings, facts: { ...FACTS, eosTokenIds: [9, 2], tokenizerEosId: 2 } })
    expect(await verify(other.engine, {}, early)).toMatchObject({ cause: 'EARLY_END' })
  })

  it.each([4, 5])(
    'gives up after five attempts at an engine that returns no reference, with %d empty',
    async (empty) => {
      let asked = 0
      const { engine } = engineOf()
      const { score } = engine
      const broken = () => Promise.reject(new TargonError('', { code: 'ENGINE_ANSWER', fault: 'upstream' }))
      const verdict = await verify(
        { ...engine, score: (call, signal) => (++asked <= empty ? broken() : score(call, signal)) },
        {},
        { temperature: 0.9 },
      )
      expect([asked, verdict.kind]).toEqual([5, empty < 5 ? 'verified' : 'inconclusive'])
    },
  )

  it('continues text whose tokens came several to a chunk', async () => {
    const tokens = answer.tokens.map((token, index) =>
      index % 3 === 0
        ? {
            ...token,
            text: IDS.slice(index, index + 3)
              .map((id) => String.fromCharCode(id))
              .join(''),
          }
        : { ...token, text: '', sharesText: true as const },
    )
    // The third token completes a character that the first two begin.
    const detokenize = async (ids: readonly number[]) =>
      String.fromCharCode(...ids) + (ids.length % 3 === 0 ? '' : '\uFFFD'.repeat(ids.length % 3))
    const { engine, scored } = engineOf({ detokenize })
    expect(await verify(engine, { tokens, chunks: 4 })).toEqual({ kind: 'verified' })
    for (const { output } of scored) expect(output).toEqual(IDS.slice(0, output.length))
  })
})
