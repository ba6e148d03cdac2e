import { afterEach, describe, expect, it } from 'vitest'
import { closeEngines, type Json, MODEL, question, startEngine } from '../engine-client.js'

afterEach(closeEngines)

const CHAT = '/v1/chat/completions'
const COMPLETIONS = '/v1/completions'
const keys = (value: Json) => Object.keys(value).sort()

describe('responses of a current server', () => {
  it('serves its models, version, health and metrics', async () => {
    const { get, post } = await startEngine({ models: [MODEL, 'targon-dev/small-b'] })
    const list = (await get('/v1/models')).json
    expect(list.data.map((model: Json) => model.id)).toEqual([MODEL, 'targon-dev/small-b'])
    expect(keys(list.data[0])).toEqual(
      ['created', 'id', 'max_model_len', 'object', 'owned_by', 'parent', 'permission', 'root'].sort(),
    )
    expect((await get('/version')).json).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
    expect(await get('/health')).toMatchObject({ status: 200, text: '' })
    await post(COMPLETIONS, { model: MODEL, prompt: 'The river', max_tokens: 5 })
    const metrics = (await get('/metrics')).text
    for (const line of [
      `vllm:num_requests_running{model_name="${MODEL}"} 0`,
      `vllm:num_requests_waiting{model_name="${MODEL}"} 0`,
      `vllm:kv_cache_usage_perc{model_name="${MODEL}"} 0`,
      `vllm:generation_tokens_total{model_name="${MODEL}"} 5`,
    ]) {
      expect(metrics).toContain(line)
    }
  })

  it('applies sampling defaults to requests without these fields, and serves them as hub file', async () => {
    const plain = await startEngine()
    const own = await startEngine({ samplingDefaults: { topP: 0.5, topK: 9, minP: 0.1 } })
    const generation = (await own.get(`/${MODEL}/resolve/main/generation_config.json`)).json
    expect(generation).toMatchObject({ top_p: 0.5, top_k: 9, min_p: 0.1 })
    const request = { model: MODEL, prompt: 'The', max_tokens: 64, temperature: 1, seed: 5 }
    const cut = { ...request, top_p: 0.5, top_k: 9, min_p: 0.1 }
    const off = { ...request, top_p: 1, top_k: -1, min_p: 0 }
    const textOf = async ({ post }: typeof own, body: object) =>
      (await post('/v1/completions', body)).json.choices[0].text
    expect(await textOf(own, request)).toBe(await textOf(plain, cut))
    expect(await textOf(own, off)).toBe(await textOf(plain, request))
    expect(await textOf(own, request)).not.toBe(await textOf(plain, request))
  })

  it('serves the hub files of its own models only', async () => {
    const { get, post } = await startEngine()
    const config = (await get(`/${MODEL}/resolve/main/config.json`)).json
    const generation = (await get(`/${MODEL}/resolve/main/generation_config.json`)).json
    const tokenizer = (await get(`/${MODEL}/resolve/main/tokenizer_config.json`)).json
    const id = (await post('/tokenize', { prompt: '<|eot_id|>', add_special_tokens: false })).json
    expect(id.count).toBe(1)
    expect(generation.eos_token_id).toContain(id.tokens[0])
    expect(config.eos_token_id).toEqual(generation.eos_token_id)
    expect(config.vocab_size).toBeGreaterThan(Math.max(...generation.eos_token_id))
    expect(tokenizer.chat_template).toContain('add_generation_prompt')
    expect(tokenizer.eos_token).toBe('<|eot_id|>')
    expect((await get('/other/model/resolve/main/config.json')).status).toBe(404)
    expect((await get(`/${MODEL}/resolve/main/pytorch_model.bin`)).status).toBe(404)
  })

  it('answers completions with one choice per prompt, in order', async () => {
    const { post } = await startEngine()
    const prompts = ['The river', 'Bread needs']
    const body = { model: MODEL, max_tokens: 4, temperature: 0, logprobs: 2, prompt_logprobs: 1 }
    const answer = (await post(COMPLETIONS, { ...body, prompt: prompts })).json
    expect(answer).toMatchObject({ object: 'text_completion', model: MODEL })
    expect(answer.id).toMatch(/^cmpl-/)
    expect(answer.choices.map((choice: Json) => choice.index)).toEqual([0, 1])
    for (const [index, choice] of answer.choices.entries()) {
      const alone = (await post(COMPLETIONS, { ...body, prompt: prompts[index] })).json.choices[0]
      expect({ ...alone, index }).toEqual(choice)
      expect(choice).toMatchObject({ finish_reason: 'length', stop_reason: null, token_ids: null })
      expect(keys(choice.logprobs)).toEqual(
        ['text_offset', 'token_logprobs', 'tokens', 'top_logprobs'].sort(),
      )
      expect(choice.logprobs.tokens.join('')).toBe(choice.text)
      for (const top of choice.logprobs.top_logprobs) expect(Object.keys(top).length).toBeLessThanOrEqual(3)
      const [first, ...rest] = choice.prompt_logprobs
      expect(first).toBeNull()
      for (const entry of rest) {
        expect(Object.keys(entry).length).toBeLessThanOrEqual(2)
        for (const one of Object.values(entry))
          expect(keys(one)).toEqual(['decoded_token', 'logprob', 'rank'])
      }
    }
    expect(answer.usage.completion_tokens).toBe(8)
    expect(answer.usage.total_tokens).toBe(answer.usage.prompt_tokens + 8)
  })

  it('reads logprobs: true as 1, as pydantic does', async () => {
    const { post } = await startEngine()
    const body = { model: MODEL, prompt: 'The river', max_tokens: 3, temperature: 0 }
    const { choices } = (await post(COMPLETIONS, { ...body, logprobs: true })).json
    expect(Object.keys(choices[0].logprobs.top_logprobs[0])).toHaveLength(1)
    expect((await post(COMPLETIONS, body)).json.choices[0].logprobs).toBeNull()
  })

  it('answers a chat with message, logprobs and prompt logprobs at the top', async () => {
    const { post } = await startEngine()
    const { json } = await post(CHAT, {
      model: MODEL,
      messages: question('Hello 🌍'),
      max_tokens: 5,
      logprobs: true,
      top_logprobs: 2,
      prompt_logprobs: 0,
      return_token_ids: true,
      seed: 4,
    })
    expect(json).toMatchObject({
      object: 'chat.completion',
      choices: [{ index: 0, finish_reason: 'length' }],
    })
    expect(json.choices[0].message.role).toBe('assistant')
    expect(json.choices[0].logprobs.content).toHaveLength(5)
    for (const entry of json.choices[0].logprobs.content) {
      expect(keys(entry)).toEqual(['bytes', 'logprob', 'token', 'top_logprobs'])
      expect(Buffer.from(entry.bytes).toString()).toBe(entry.token)
      expect(entry.top_logprobs).toHaveLength(2)
    }
    expect(json.choices[0].token_ids).toHaveLength(5)
    expect(json.prompt_token_ids).toHaveLength(json.usage.prompt_tokens)
    expect(json.prompt_logprobs).toHaveLength(json.usage.prompt_tokens)
    expect(json.choices[0]).not.toHaveProperty('prompt_logprobs')
  })

  it('streams a chat: the role, one chunk per token, finish in the last, usage on request', async () => {
    const { stream } = await startEngine()
    const events = await stream(CHAT, {
      model: MODEL,
      messages: question('Hi'),
      max_tokens: 6,
      return_token_ids: true,
      stream_options: { include_usage: true },
    })
    const [role, ...rest] = events
    const usage = rest.pop()
    expect(role.choices).toEqual([
      { index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
    ])
    expect(role.prompt_token_ids.length).toBeGreaterThan(5)
    expect(rest).toHaveLength(6)
    for (const [index, event] of rest.entries()) {
      const isLast = index === 5
      expect(event).toMatchObject({ object: 'chat.completion.chunk', id: role.id })
      expect(event).not.toHaveProperty('usage')
      expect(event.choices[0].finish_reason).toBe(isLast ? 'length' : null)
      expect('stop_reason' in event.choices[0]).toBe(isLast)
      expect(event.choices[0].token_ids).toHaveLength(1)
    }
    expect(usage.choices).toEqual([])
    expect(usage.usage).toMatchObject({ completion_tokens: 6 })
  })

  it('streams completions without a role, each prompt under its index', async () => {
    const { stream } = await startEngine()
    const events = await stream(COMPLETIONS, { model: MODEL, prompt: ['A', 'B'], max_tokens: 3, logprobs: 1 })
    expect(events).toHaveLength(6)
    expect(events.map((event) => event.choices[0].index)).toEqual([0, 1, 0, 1, 0, 1])
    for (const event of events) {
      expect(event).toMatchObject({ object: 'text_completion', usage: null })
      expect(event.choices[0].logprobs.tokens).toHaveLength(1)
    }
  })

  it('echoes the prompt with its logprobs, alone when max_tokens is 0', async () => {
    const { post, stream } = await startEngine()
    const body = { model: MODEL, prompt: 'The river begins', echo: true, logprobs: 1, temperature: 0 }
    const only = (await post(COMPLETIONS, { ...body, max_tokens: 0 })).json.choices[0]
    expect(only.text).toBe('The river begins')
    expect(only.logprobs.token_logprobs[0]).toBeNull()
    const more = (await post(COMPLETIONS, { ...body, max_tokens: 3 })).json.choices[0]
    expect(more.text.startsWith(only.text)).toBe(true)
    expect(more.logprobs.tokens.length).toBe(only.logprobs.tokens.length + 3)
    const events = await stream(COMPLETIONS, { ...body, max_tokens: 3 })
    expect(events.map((event) => event.choices[0].text).join('')).toBe(more.text)
  })

  it('tokenizes text and chats, and detokenizes them', async () => {
    const { post } = await startEngine()
    const text = (await post('/tokenize', { model: MODEL, prompt: 'Grüße 🦔', return_token_strs: true })).json
    expect(keys(text)).toEqual(['count', 'max_model_len', 'token_strs', 'tokens'])
    expect(text.count).toBe(text.tokens.length)
    expect((await post('/detokenize', { model: MODEL, tokens: text.tokens })).json).toEqual({
      prompt: '<|begin_of_text|>Grüße 🦔',
    })
    const chat = (await post('/tokenize', { model: MODEL, messages: question('Hi') })).json
    expect((await post('/detokenize', { tokens: chat.tokens })).json.prompt).toBe(
      '<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>' +
        '<|start_header_id|>assistant<|end_header_id|>\n\n',
    )
  })
})

describe('responses of a 0.6.2 server', () => {
  it('names ids only by its server flag and rejects newer fields', async () => {
    const { post } = await startEngine({ dialect: 'v0', returnTokensAsTokenIds: true })
    const body = { model: MODEL, prompt: 'A', max_tokens: 2, logprobs: 1 }
    const { choices, usage } = (await post(COMPLETIONS, body)).json
    expect(choices[0].logprobs.tokens[0]).toMatch(/^token_id:\d+$/)
    expect(choices[0]).not.toHaveProperty('token_ids')
    expect(usage).not.toHaveProperty('prompt_tokens_details')
    for (const field of ['return_tokens_as_token_ids', 'return_token_ids', 'cache_salt']) {
      const refused = await post(COMPLETIONS, { ...body, [field]: true })
      expect(refused.status).toBe(400)
      expect(refused.json).toMatchObject({ object: 'error', type: 'BadRequestError', code: 400 })
      expect(refused.json.message).toContain(field)
    }
  })

  it('has the version, the gauge and the chat message of 0.6.2', async () => {
    const { get, post } = await startEngine({ dialect: 'v0' })
    expect((await get('/version')).json).toEqual({ version: '0.6.2' })
    expect((await get('/metrics')).text).toContain('vllm:gpu_cache_usage_perc')
    const { json } = await post(CHAT, { model: MODEL, messages: question('Hi'), max_tokens: 2 })
    expect(keys(json.choices[0].message)).toEqual(['content', 'role', 'tool_calls'])
  })

  it('fails on −Infinity in prompt logprobs and dies of an id outside the vocabulary', async () => {
    const { post, get } = await startEngine({ dialect: 'v0' })
    const cut = { model: MODEL, prompt: 'Seven zebras sing', max_tokens: 1, top_k: 1, prompt_logprobs: 1 }
    expect((await post(COMPLETIONS, cut)).status).toBe(500)
    expect((await get('/health')).status).toBe(200)
    const bad = await post(COMPLETIONS, { model: MODEL, prompt: [5, 2 ** 31], max_tokens: 1 })
    expect(bad.status).toBe(500)
    expect((await get('/health')).status).toBe(500)
  })
})
