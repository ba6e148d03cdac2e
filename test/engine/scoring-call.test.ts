import { describe, expect, it } from 'vitest'
import { parseScoring, scoringBody } from '../../src/engine/scoring-call.js'

const request = { input: [1, 2], output: [3, 4], temperature: 0.5, topK: 2 }
const entry = (logprob: number | null, rank = 1) => ({ logprob, rank })
/** A valid response of vLLM to `request`. */
const response = (change: Record<string, unknown> = {}) => ({
  choices: [
    {
      prompt_logprobs: [
        null,
        { 2: entry(-1) },
        { 3: entry(-0.1) },
        { 4: entry(null, 900), 7: entry(0.0005) },
      ],
      logprobs: { top_logprobs: [{ 'token_id:9': -3, 'token_id:8': -0.2, 'token_id:5': -7 }] },
      ...change,
    },
  ],
})

describe('scoringBody', () => {
  it('sends every sampling field, so that the model’s defaults have no effect', () => {
    expect(scoringBody('org/m', [request], 'v1')).toEqual({
      model: 'org/m',
      prompt: [1, 2, 3, 4],
      max_tokens: 1,
      temperature: 0.5,
      top_p: 1,
      top_k: -1,
      min_p: 0,
      repetition_penalty: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      logprobs: 2,
      prompt_logprobs: 2,
      return_tokens_as_token_ids: true,
      stream: false,
    })
  })

  it('leaves out the field that 0.6 rejects, and sends no seed', () => {
    const seeded = { ...request, seed: 7 }
    for (const dialect of ['v0', 'v1'] as const)
      expect(scoringBody('org/m', [seeded], dialect)).not.toHaveProperty('seed')
    expect(scoringBody('org/m', [request], 'v0')).not.toHaveProperty('return_tokens_as_token_ids')
  })
})

it('scores several answers in one call, and reads each of them', () => {
  const longer = { ...request, output: [3, 4, 5] }
  expect(scoringBody('org/m', [request, longer], 'v1')).toMatchObject({
    prompt: [
      [1, 2, 3, 4],
      [1, 2, 3, 4, 5],
    ],
  })
  const [first] = response().choices
  const second = {
    ...{ ...first, index: 1 },
    prompt_logprobs: [...(first?.prompt_logprobs ?? []), { 5: entry(-2) }],
  }
  const references = parseScoring({ choices: [{ ...first, index: 0 }, second] }, [request, longer])
  expect(references.map(({ positions }) => positions.length)).toEqual([2, 3])
  expect(references[1]?.positions[2]?.get(5)).toEqual({ logprob: -2, rank: 1 })
  expect(() => parseScoring({ choices: [second, first] }, [request, longer])).toThrow('out of order')
})

describe('parseScoring', () => {
  it('reads the positions of the output, and ranks the top of the next token', () => {
    expect(parseScoring(response(), [request])[0]).toEqual({
      positions: [
        new Map([[3, { logprob: -0.1, rank: 1 }]]),
        new Map([
          [4, { logprob: -9999, rank: 900 }],
          [7, { logprob: 0, rank: 1 }],
        ]),
      ],
      next: new Map([
        [8, { logprob: -0.2, rank: 1 }],
        [9, { logprob: -3, rank: 2 }],
      ]),
    })
  })

  it.each<[string, unknown, string]>([
    ['no choice', { choices: [] }, '0 choices for 1 answers'],
    ['another answer’s choice', response({ index: 1 }), 'out of order'],
    ['no prompt_logprobs', response({ prompt_logprobs: null }), 'no prompt_logprobs for 4 tokens'],
    ['another number of positions', response({ prompt_logprobs: [null] }), '1 prompt_logprobs for 4 tokens'],
    [
      'a position without its token',
      response({ prompt_logprobs: [null, {}, { 5: entry(-1) }, {}] }),
      'position 0 does not contain its token 3',
    ],
    ['an entry without rank', response({ prompt_logprobs: [null, {}, { 3: { logprob: -1 } }, {}] }), 'rank'],
    ['a logprob above 0', response({ prompt_logprobs: [null, {}, { 3: entry(0.5) }, {}] }), 'logprob 0.5'],
    ['tokens as text', response({ logprobs: { top_logprobs: [{ a: -1 }] } }), 'keyed by text'],
    ['no top_logprobs', response({ logprobs: null }), 'no top_logprobs'],
  ])('rejects %s', (_, body, reason) => {
    expect(() => parseScoring(body, [request])).toThrow(
      expect.objectContaining({ code: 'ENGINE_ANSWER', message: expect.stringContaining(reason) }),
    )
  })
})
