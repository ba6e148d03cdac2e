import { afterEach, describe, expect, it } from 'vitest'
import { closeEngines, MODEL, question, startEngine } from '../engine-client.js'

afterEach(closeEngines)

const CHAT = '/v1/chat/completions'
const COMPLETIONS = '/v1/completions'

const BAD: readonly [what: string, path: string, body: object, status: number, words: RegExp][] = [
  ['a model it does not serve', COMPLETIONS, { model: 'other', prompt: 'A' }, 404, /`other` does not exist/],
  ['more logprobs than its maximum', COMPLETIONS, { prompt: 'A', logprobs: 21 }, 400, /max allowed: 20/],
  [
    'more prompt logprobs than its maximum',
    COMPLETIONS,
    { prompt: 'A', prompt_logprobs: 21 },
    400,
    /max allowed: 20/,
  ],
  [
    'prompt logprobs in a stream',
    COMPLETIONS,
    { prompt: 'A', prompt_logprobs: 1, stream: true },
    400,
    /stream/,
  ],
  [
    'a request beyond the context length',
    COMPLETIONS,
    { prompt: 'A', max_tokens: 9000 },
    400,
    /maximum context length is 8192/,
  ],
  ['an id outside the vocabulary', COMPLETIONS, { prompt: [999_999] }, 400, /out of vocabulary/],
  ['an id below zero', COMPLETIONS, { prompt: [-1] }, 400, /prompt/],
  ['an empty list of prompts', COMPLETIONS, { prompt: [] }, 400, /at least one prompt/],
  ['a temperature below zero', COMPLETIONS, { prompt: 'A', temperature: -1 }, 400, /temperature/],
  ['more than one answer per prompt', COMPLETIONS, { prompt: 'A', n: 2 }, 400, /n and best_of/],
  [
    'min_tokens above max_tokens',
    COMPLETIONS,
    { prompt: 'A', min_tokens: 5, max_tokens: 2 },
    400,
    /min_tokens/,
  ],
  ['top_logprobs without logprobs', CHAT, { messages: [], top_logprobs: 2 }, 400, /must be set to true/],
  [
    'a chat that both continues and starts a message',
    '/tokenize',
    { messages: question('A'), add_generation_prompt: true, continue_final_message: true },
    400,
    /Cannot set both/,
  ],
  ['an id without text', '/detokenize', { tokens: [999_999] }, 400, /out of vocabulary/],
]

describe('rejected requests', () => {
  it.each(BAD)('rejects %s', async (_, path, body, status, words) => {
    const { post } = await startEngine()
    const answer = await post(path, { model: MODEL, ...body })
    expect(answer.status).toBe(status)
    expect(Object.keys(answer.json.error).sort()).toEqual(['code', 'message', 'param', 'type'])
    expect(answer.json.error.message).toMatch(words)
    expect(answer.json.error.code).toBe(status)
  })

  it('rejects invalid JSON and unknown routes', async () => {
    const { engine, get } = await startEngine()
    const broken = await fetch(engine.url + COMPLETIONS, { method: 'POST', body: '{"model":' })
    expect(broken.status).toBe(400)
    expect((await get('/v1/embeddings')).status).toBe(404)
    expect((await get('/%E0%A4%A')).status).toBe(404)
  })

  it('requires its API key under /v1 only', async () => {
    const { get, post } = await startEngine({ apiKey: 'secret' })
    expect(await get('/v1/models')).toMatchObject({ status: 401, json: { error: 'Unauthorized' } })
    expect((await get('/health')).status).toBe(200)
    expect((await post('/tokenize', { prompt: 'A' })).status).toBe(200)
    const headers = { authorization: 'Bearer secret' }
    expect((await post(COMPLETIONS, { model: MODEL, prompt: 'A' }, { headers })).status).toBe(200)
  })

  it('ignores unknown fields as a current server', async () => {
    const { post } = await startEngine()
    const answer = await post(COMPLETIONS, { model: MODEL, prompt: 'A', cache_salt: 'x', powv: true })
    expect(answer.status).toBe(200)
  })
})
