import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseChunkJson } from '../../src/inference/chunk-json.js'
import { readChunk, readTargon4 } from '../../src/inference/index.js'
import { chatChunk, completionChunk } from '../support/stream-server.js'

/** All that is ever read of a chunk. */
function readAll(chunk: unknown) {
  return (['chat', 'completion'] as const).map((endpoint) => [
    readChunk(endpoint, chunk, 100),
    readTargon4({
      tokenLimit: Number.POSITIVE_INFINITY,
      endpoint,
      maxTokens: 9,
      startSeconds: 0,
      chunks: [[1, chunk]],
      endSeconds: 2,
      brokeOff: false,
    }),
  ])
}

const NAMES = [
  ...['choices', 'delta', 'content', 'reasoning', 'reasoning_content', 'tool_calls', 'function', 'arguments'],
  ...['text', 'logprobs', 'token', 'tokens', 'token_logprobs', 'logprob', 'finish_reason', 'usage', 'error'],
  ...['message', 'object', 'name', 'index', '"', '\\', '', '__proto__'],
]
const scalar = fc.oneof(
  fc.constantFrom(null, true, -1.5e-7, 0, 'token_id:5', 'error', '{"[', '\\"'),
  fc.string({ unit: 'grapheme', maxLength: 5 }),
)
/** Names where they belong and where they do not, values of the right kind and of others. */
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 7, depthSize: 'large' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { maxKeys: 4 }),
  ),
})).value
const chunk = fc.record(
  {
    id: fc.string(),
    choices: fc.array(
      fc.record(
        {
          index: fc.nat(),
          text: fc.oneof(scalar, anything),
          delta: fc.oneof(
            anything,
            fc.record(
              {
                content: scalar,
                reasoning_content: scalar,
                reasoning: scalar,
                tool_calls: fc.array(
                  fc.record({ index: fc.nat(), function: fc.record({ name: scalar, arguments: scalar }) }),
                  { maxLength: 2 },
                ),
              },
              { requiredKeys: [] },
            ),
          ),
          logprobs: fc.oneof(
            anything,
            fc.record({
              content: fc.array(fc.record({ token: scalar, logprob: scalar, top_logprobs: anything })),
            }),
            fc.record({ tokens: fc.array(scalar), token_logprobs: fc.array(scalar), top_logprobs: anything }),
          ),
          finish_reason: scalar,
        },
        { requiredKeys: [] },
      ),
      { maxLength: 2 },
    ),
    usage: anything,
    error: anything,
    object: scalar,
  },
  { requiredKeys: ['choices'] },
)

describe('parseChunkJson', () => {
  test('keeps all that is read of any chunk', () => {
    fc.assert(
      fc.property(fc.oneof(chunk, anything), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        expect(readAll(parseChunkJson(text))).toEqual(readAll(JSON.parse(text)))
      }),
      { numRuns: 2000 },
    )
  })

  test('reads the chunks of vLLM', () => {
    for (const vllm of [chatChunk('a', 1), completionChunk('b', 2)])
      expect(readAll(parseChunkJson(JSON.stringify(vllm)))).toEqual(readAll(vllm))
  })

  test('takes the last of several members of one name, as JSON.parse does', () => {
    const text = '{"object":"error","choices":1,"choices":[{"text":"a","text":"b"}],"object":"x"}'
    expect(readAll(parseChunkJson(text))).toEqual(readAll(JSON.parse(text)))
  })

  test.each([
    ...[
      '',
      ' ',
      '{',
      '{"choices"',
      '{"choices":',
      '{"choices":}',
      '{"choices":[',
      '{"choices":[1',
      '{"choices":[1}',
    ],
    ...[
      '{"choices":[]]',
      '{"choices":[],}',
      '{"x":[1',
      '{"x":"',
      '{"x":"\\',
      '{x:1}',
      '{"a" 1}',
      '{} {}',
      '{}x',
    ],
    ...[
      '{"choices":[{"text":NaN}]}',
      '{"choices":[{"text":\'a\'}]}',
      '{"choices":[,]}',
      '[1',
      'nul',
      '{"x":}',
    ],
  ])('throws a SyntaxError for %j', (text) => {
    expect(() => parseChunkJson(text)).toThrow(SyntaxError)
  })

  test('throws nothing but a SyntaxError for any text', () => {
    const piece = fc.constantFrom(...'{}[]",:\\ a1', '"choices"', '"text"', 'null', '\n')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          parseChunkJson(pieces.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
