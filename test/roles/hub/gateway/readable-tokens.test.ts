import { expect, it } from 'vitest'
import { withReadableTokens } from '../../../../src/roles/hub/gateway/readable-tokens.js'

const chunkOf = (...content: unknown[]) =>
  JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content: 'a' }, logprobs: { content } }] })
const alternative = { token: 'token_id:8', logprob: -2, bytes: null }

it.each([
  ['a word', [32, 114, 105, 118, 101, 114], ' river'],
  ['a letter of two bytes', [195, 188], 'ü'],
  ['half a letter', [195], '\uFFFD'],
  ['a control token without text', [], ''],
])('names %s by its bytes', (_, bytes, text) => {
  const entry = { token: 'token_id:7', logprob: -0.5, bytes, top_logprobs: [] }
  expect(withReadableTokens(chunkOf(entry))).toBe(chunkOf({ ...entry, token: text }))
})

it('names the chosen token among the alternatives, and leaves the others their ids', () => {
  const chosen = { token: 'token_id:7', logprob: -0.5, bytes: [97] }
  const same = { token: 'token_id:7', logprob: -0.5, bytes: [116, 111] }
  expect(withReadableTokens(chunkOf({ ...chosen, top_logprobs: [same, alternative] }))).toBe(
    chunkOf({ ...chosen, token: 'a', top_logprobs: [{ ...chosen, token: 'a' }, alternative] }),
  )
})

it.each([
  ['no log probabilities', '{"choices":[{"delta":{"content":"\\"token_id:7\\""}}],  "x":1}'],
  ['a readable name', chunkOf({ token: 'a', logprob: -0.1, bytes: [97] })],
  ['no choices', '{"x":"token_id:7"}'],
])('leaves a chunk with %s as it is', (_, json) => {
  expect(JSON.parse(withReadableTokens(json))).toEqual(JSON.parse(json))
})

it.each([[null], ['a'], [[256]], [[-1]], [[0.5]], [['a']], [Array(2000).fill(97)]])(
  'leaves a token with the bytes %j its id',
  (bytes) => {
    const json = chunkOf({ token: 'token_id:7', logprob: -0.1, bytes })
    expect(withReadableTokens(json)).toBe(json)
  },
)

it.each([
  '{"choices":"token_id:1","a":"token_id:1"}',
  '{"choices":[null,7,"token_id:1"]}',
  '{"choices":[{"logprobs":["token_id:1"]}]}',
])('survives %s', (json) => {
  expect(JSON.parse(withReadableTokens(json))).toEqual(JSON.parse(json))
})
