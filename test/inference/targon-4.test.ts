import { describe, expect, test } from 'vitest'
import { readTargon4, type TimedStream } from '../../src/inference/targon-4.js'
import { chatChunk, completionChunk } from '../support/stream-server.js'

const read = (chunks: readonly unknown[], change: Partial<TimedStream> = {}) =>
  readTargon4({
    tokenLimit: Number.POSITIVE_INFINITY,
    endpoint: 'chat',
    maxTokens: 100,
    startSeconds: 0,
    chunks: chunks.map((chunk, index) => [index + 1, chunk] as const),
    endSeconds: chunks.length + 1,
    brokeOff: false,
    ...change,
  })

describe('readTargon4', () => {
  test('drops leading chunks without text and counts from the first one with text', () => {
    const answer = read([chatChunk('', 1), chatChunk('a', 2), chatChunk('', 3)])
    expect(answer.tokens.map(({ tokenId }) => tokenId)).toEqual([2, 3])
    expect(answer.timing).toEqual({ timeToFirstTokenMs: 2000, timeForAllTokensMs: 2000, totalMs: 4000 })
  })

  test('reads all tokens of a chunk, its one deviation from 4.4.1, which failed honest engines that merge them', () => {
    const content = [1, 2].map((id) => ({ token: `token_id:${id}`, logprob: -id }))
    const tokens = [
      { text: 'ab', tokenId: 1, logprob: -1 },
      { text: '', tokenId: 2, logprob: -2, sharesText: true },
    ]
    const chunk = { choices: [{ delta: { content: 'ab' }, logprobs: { content } }] }
    expect(read([chunk]).tokens).toEqual(tokens)
    const logprobs = { tokens: ['token_id:1', 'token_id:2'], token_logprobs: [-1, -2] }
    expect(read([{ choices: [{ text: 'ab', logprobs }] }], { endpoint: 'completion' }).tokens).toEqual(tokens)
  })

  test.each(['chat', 'completion'] as const)('reads no more tokens of a %s than its limit', (endpoint) => {
    const many = Array.from({ length: 1000 }, (_, id) => `token_id:${id}`)
    const content = many.map((token) => ({ token, logprob: -1 }))
    const logprobs = { content, tokens: many, token_logprobs: many.map(() => -1) }
    const chunk = { choices: [{ text: 'a', delta: { content: 'a' }, logprobs }] }
    const { tokens, fault } = read([chunk, chunk], { endpoint, tokenLimit: 7 })
    expect(tokens).toHaveLength(7)
    expect(fault).toBeUndefined()
  })

  test('keeps the tokens of a chunk before one that 4.4.1 cannot read', () => {
    const content = ['token_id:1', 'no id', 'token_id:x', 'token_id:2'].map((token) => ({
      token,
      logprob: -1,
    }))
    const answer = read([{ choices: [{ delta: { content: 'ab' }, logprobs: { content } }] }])
    expect(answer.tokens).toEqual([{ text: 'ab', tokenId: 1, logprob: -1 }])
    expect(answer.fault).toBe('a token is unreadable for 4.4.1')
  })

  test('writes id -1 and logprob -100 where the miner sent none', () => {
    const bare = { choices: [{ delta: { content: 'a' }, logprobs: null }] }
    expect(read([bare]).tokens).toEqual([{ text: 'a', tokenId: -1, logprob: -100 }])
    const lists = { choices: [{ text: 'a', logprobs: { tokens: [], token_logprobs: [null] } }] }
    expect(read([lists], { endpoint: 'completion' }).tokens).toEqual([
      { text: 'a', tokenId: -1, logprob: undefined },
    ])
  })

  test.each([
    ['a usage chunk', { choices: [], usage: { total_tokens: 3 } }, 'a chunk is unreadable for 4.4.1'],
    ['an invalid token id', chatChunkWith('token_id:x'), 'a token is unreadable for 4.4.1'],
  ])('fails on %s and sets all times to 0', (_, chunk, fault) => {
    expect(read([chatChunk('a', 1), chunk, chatChunk('b', 2)])).toEqual({
      tokens: [{ text: 'a', tokenId: 1, logprob: -0.5 }],
      timing: { timeToFirstTokenMs: 0, timeForAllTokensMs: 0, totalMs: 0 },
      tokensPerSecond: 0,
      fault,
    })
  })

  test('fails a stream that ended early', () => {
    const answer = read([completionChunk('a', 1)], { endpoint: 'completion', brokeOff: true })
    expect(answer).toMatchObject({ fault: 'the stream ended early', tokensPerSecond: 0 })
  })
})

function chatChunkWith(token: string) {
  return { choices: [{ delta: { content: 'a' }, logprobs: { content: [{ token, logprob: -1 }] } }] }
}
