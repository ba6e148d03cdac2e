import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readChunk } from '../../src/inference/index.js'
import { chatChunk, completionChunk } from '../support/stream-server.js'

/** Tokens the answer may still have. */
const ROOM = 100

const chat = (choice: unknown) => readChunk('chat', { choices: [choice] }, ROOM)
const completion = (choice: unknown) => readChunk('completion', { choices: [choice] }, ROOM)

describe('readChunk', () => {
  test('reads the same token from both routes', () => {
    expect(readChunk('chat', chatChunk('a', 5, -1), ROOM)).toEqual(
      readChunk('completion', completionChunk('a', 5, -1), ROOM),
    )
  })

  test('reads every element of the logprobs as a token and gives the text to the first', () => {
    const expected = {
      text: 'ab',
      tokens: [
        { text: 'ab', tokenId: 1, logprob: -1 },
        { text: '', tokenId: 2, logprob: -2, sharesText: true },
      ],
      finishReason: undefined,
      lostTokens: false,
    }
    const content = [
      { token: 'token_id:1', logprob: -1 },
      { token: 'token_id:2', logprob: -2 },
    ]
    expect(chat({ delta: { content: 'ab' }, logprobs: { content } })).toEqual(expected)
    const logprobs = { tokens: ['token_id:1', 'token_id:2'], token_logprobs: [-1, -2] }
    expect(completion({ text: 'ab', logprobs })).toEqual(expected)
  })

  test('reports lost tokens when a chunk has several tokens without all ids', () => {
    const content = [
      { token: 'token_id:1', logprob: -1 },
      { token: 'b', logprob: -2 },
    ]
    expect(chat({ delta: { content: 'ab' }, logprobs: { content } })).toMatchObject({ lostTokens: true })
  })

  test('counts a token with empty text, but not an empty chunk without logprobs', () => {
    expect(readChunk('chat', chatChunk('', 5), ROOM)).toMatchObject({ tokens: [{ text: '', tokenId: 5 }] })
    expect(chat({ delta: { content: '' }, logprobs: null })).toMatchObject({ tokens: [] })
    expect(chat({ delta: { role: 'assistant' } })).toMatchObject({ tokens: [], text: '' })
  })

  test('reads text without logprobs as one token without id', () => {
    const unchecked = { tokens: [{ text: 'a', tokenId: undefined, logprob: undefined }] }
    for (const logprobs of [undefined, null, {}, { content: [] }, { content: null }]) {
      expect(chat({ delta: { content: 'a' }, logprobs })).toMatchObject(unchecked)
    }
  })

  test.each([
    'token_id:',
    'token_id:x',
    'token_id:1.5',
    'token_id:0x10',
    'token_id: 1',
    'token_id:1_0',
    'token_id:+1',
    'token_id:1:2',
    'TOKEN_ID:1',
    'token_id:99999999999999999999',
    'hello',
    '',
    7,
    null,
    undefined,
    {},
  ])('reads no id from %j', (token) => {
    expect(chat({ delta: { content: 'a' }, logprobs: { content: [{ token, logprob: -1 }] } })).toMatchObject({
      tokens: [{ tokenId: undefined, logprob: -1 }],
    })
  })

  test.each([
    ['-1', -1],
    ['007', 7],
    ['128009', 128_009],
  ])('reads the id of token_id:%s', (digits, id) => {
    expect(chat({ delta: {}, logprobs: { content: [{ token: `token_id:${digits}` }] } })).toMatchObject({
      tokens: [{ tokenId: id, logprob: undefined }],
    })
  })

  test.each(['0', null, undefined, '-1', true, {}])('reads no logprob from %j', (logprob) => {
    expect(chat({ delta: {}, logprobs: { content: [{ token: 'token_id:1', logprob }] } })).toMatchObject({
      tokens: [{ logprob: undefined }],
    })
  })

  test('reads a chunk without choices as empty, whatever else it has', () => {
    const empty = { text: '', tokens: [], finishReason: undefined, lostTokens: false }
    expect(readChunk('chat', { choices: [], prompt_filter_results: [] }, ROOM)).toEqual(empty)
    expect(readChunk('completion', { choices: [] }, ROOM)).toEqual(empty)
  })

  test.each([
    ['reasoning_content', { reasoning_content: 'think' }, 'think'],
    ['reasoning', { reasoning: 'think', content: null }, 'think'],
    ['the end of reasoning and the first content', { reasoning: 'end', content: 'start' }, 'endstart'],
    [
      'a tool call',
      { tool_calls: [{ index: 0, id: 'x', function: { name: 'get', arguments: '{"a"' } }] },
      'get{"a"',
    ],
    ['arguments that go on', { tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }, ':1}'],
  ])('reads %s as text of its tokens', (_, delta, text) => {
    const content = [{ token: 'token_id:1', logprob: -1 }]
    expect(chat({ delta, logprobs: { content } })).toMatchObject({
      text,
      tokens: [{ text, tokenId: 1, logprob: -1 }],
    })
  })

  test.each([
    { reasoning: 5 },
    { tool_calls: 'x' },
    { tool_calls: [null, { function: 'x' }, { function: { name: 1 } }] },
  ])('reads no text from %j', (delta) => {
    expect(chat({ delta })).toMatchObject({ text: '', tokens: [] })
  })

  test('reads a usage chunk as empty', () => {
    expect(readChunk('chat', { choices: [], usage: { completion_tokens: 3 } }, ROOM)).toMatchObject({
      tokens: [],
      text: '',
    })
  })

  test.each([
    [{ error: { message: 'CUDA out of memory' } }, 'the server reported "CUDA out of memory"'],
    [{ object: 'error', message: 'bad', type: 'x', code: 400 }, 'the server reported "bad"'],
    [{ error: 'oops' }, 'the server reported "oops"'],
    [{ error: { code: 1 } }, 'the server reported an error'],
  ])('reports the text of an error inside a stream: %j', (chunk, reason) => {
    expect(readChunk('chat', chunk, ROOM)).toEqual({ cause: 'BAD_STREAM', detail: reason })
  })

  test.each(['chat', 'completion'] as const)(
    'rejects a list with too many tokens without allocating it: %s',
    (endpoint) => {
      const tooMany = { cause: 'STREAM_LIMIT', detail: 'the stream had more tokens than requested' }
      const claiming = (count: number) => {
        const zeros = new Array<number>(count).fill(0)
        const logprobs = { content: zeros, tokens: [], token_logprobs: zeros }
        return { choices: [{ index: 0, text: '', delta: {}, logprobs }] }
      }
      expect(readChunk(endpoint, claiming(ROOM), ROOM)).toMatchObject({ text: '' })
      expect(readChunk(endpoint, claiming(ROOM + 1), ROOM)).toEqual(tooMany)
      const startMs = performance.now()
      expect(readChunk(endpoint, claiming(5_000_000), ROOM)).toEqual(tooMany)
      expect(performance.now() - startMs).toBeLessThan(2_000)
    },
  )

  test('returns content or a fault for any JSON and never throws', () => {
    const choice = fc.record(
      {
        delta: fc.jsonValue(),
        text: fc.jsonValue(),
        logprobs: fc.jsonValue(),
        finish_reason: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const chunk = fc.oneof(fc.jsonValue(), fc.record({ choices: fc.oneof(fc.jsonValue(), fc.array(choice)) }))
    fc.assert(
      fc.property(chunk, fc.constantFrom('chat' as const, 'completion' as const), (value, endpoint) => {
        const read = readChunk(endpoint, JSON.parse(JSON.stringify(value)), ROOM)
        if ('cause' in read) expect(read.detail.length).toBeLessThan(300)
        else for (const token of read.tokens) expect(['number', 'undefined']).toContain(typeof token.logprob)
      }),
      { numRuns: 1000 },
    )
  })
})
