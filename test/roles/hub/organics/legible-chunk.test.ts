import { describe, expect, it } from 'vitest'
import { readChunk } from '../../../../src/inference/index.js'
import { legibleChunk } from '../../../../src/roles/hub/organics/legible-chunk.js'

// biome-ignore lint/suspicious/noExplicitAny: as Python, which looks into anything
type Any = any

/** What validators of 4.4.1 do with a chunk (targon/jugo.py); throws where they lose the bucket. */
function readLike441(chunk: Any, endpoint: 'chat' | 'completion'): string {
  const get = (holder: Any, name: string, missing: Any) => {
    if (typeof holder !== 'object' || holder === null || Array.isArray(holder)) throw new TypeError('no get')
    return name in holder ? holder[name] : missing
  }
  const first = (list: Any) => {
    if (!Array.isArray(list) || list.length === 0) throw new RangeError('no first')
    return list[0]
  }
  const choice = first(get(chunk, 'choices', [{}]))
  const text =
    endpoint === 'chat' ? get(get(choice, 'delta', {}), 'content', null) : get(choice, 'text', null)
  const logprobs = get(choice, 'logprobs', null)
  if (logprobs === null) return 'skipped'
  let token: Any
  if (endpoint === 'chat') token = get(first(get(logprobs, 'content', [{}])), 'token', null)
  else {
    first(get(logprobs, 'token_logprobs', [-100]))
    token = first(get(logprobs, 'tokens', ['']))
  }
  if (text === null) return 'skipped'
  if (typeof token !== 'string') throw new TypeError('no startswith')
  if (!token.startsWith('token_id:')) return 'skipped'
  if (!/^\s*[+-]?\d+\s*$/.test(token.split(':')[1] ?? '')) throw new RangeError('no int')
  return token
}

const chat = (logprobs: unknown, delta: object = { content: 'a' }) => ({ choices: [{ delta, logprobs }] })
const completion = (logprobs: unknown) => ({ choices: [{ text: 'a', logprobs }] })

describe('a chunk that the validators of 4.4.1 can read', () => {
  it.each([
    ['chat' as const, chat({ content: [{ token: 'token_id:7', logprob: -1 }] })],
    ['chat' as const, chat(null)],
    ['chat' as const, { choices: [{ delta: {}, finish_reason: 'stop' }] }],
    ['chat' as const, chat({ content: [{ token: 'word', logprob: -1 }] })],
    ['completion' as const, completion({ tokens: ['token_id:7'], token_logprobs: [-1] })],
    ['completion' as const, completion(null)],
    ['completion' as const, completion({})],
    ['completion' as const, completion({ tokens: ['token_id:7'] })],
    ['completion' as const, completion({ token_logprobs: [-1] })],
  ])('stays as it is: %s %j', (endpoint, chunk) => {
    const text = JSON.stringify(chunk)
    expect(() => readLike441(chunk, endpoint)).not.toThrow()
    expect(legibleChunk(text, endpoint)).toBe(text)
  })

  it.each([
    ['chat' as const, chat({ content: [] })],
    ['chat' as const, chat({ content: null })],
    ['chat' as const, chat({})],
    ['chat' as const, chat('all')],
    ['chat' as const, chat([])],
    ['chat' as const, chat({ content: [null] })],
    ['chat' as const, chat({ content: [{ logprob: -1 }] })],
    ['chat' as const, chat({ content: [{ token: 7, logprob: -1 }] })],
    ['chat' as const, chat({ content: [{ token: 'token_id:', logprob: -1 }] })],
    ['chat' as const, chat({ content: [{ token: 'token_id:x', logprob: -1 }] })],
    ['chat' as const, chat({ tokens: ['token_id:7'], token_logprobs: [-1] })],
    ['completion' as const, completion({ tokens: [], token_logprobs: [] })],
    ['completion' as const, completion({ tokens: [null], token_logprobs: [-1] })],
    ['completion' as const, completion({ tokens: ['token_id:1.5'], token_logprobs: [-1] })],
    ['completion' as const, completion({ tokens: ['token_id:1'], token_logprobs: null })],
    ['completion' as const, completion({ tokens: null, token_logprobs: [-1] })],
  ])('is made of one that costs them the bucket: %s %j', (endpoint, chunk) => {
    expect(() => readLike441(chunk, endpoint)).toThrow()
    const legible = JSON.parse(legibleChunk(JSON.stringify(chunk), endpoint) ?? 'null')
    expect(readLike441(legible, endpoint)).toBe('skipped')
    // Our own validators find no token in it either that could be verified, and the same text.
    const read = readChunk(endpoint, legible, 8)
    expect(read).toMatchObject({ text: 'a', tokens: [{ text: 'a', tokenId: undefined }] })
  })

  it.each(['{"choices":[]}', '{}', '[]', '{"choices":[null]}'])(
    'is left out when it has no choice: %s',
    (text) => {
      expect(legibleChunk(text, 'chat')).toBeUndefined()
    },
  )
})
