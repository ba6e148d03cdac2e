import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { loadTokenizer } from '../../../../src/localnet/engine/language/index.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import { closeEngines, MODEL, question, readChatStream, startEngine } from '../engine-client.js'

afterEach(closeEngines)

const CHAT = '/v1/chat/completions'
const COMPLETIONS = '/v1/completions'

describe('streaming', () => {
  it('streams to the openai client, with logprobs and usage', async () => {
    const { engine } = await startEngine({ apiKey: 'secret' })
    const client = new OpenAI({ baseURL: `${engine.url}/v1`, apiKey: 'secret', maxRetries: 0 })
    const stream = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'How is bread made?' }],
      max_tokens: 40,
      seed: 3,
      stream: true,
      logprobs: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let entries = 0
    let usage: number | undefined
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      entries += chunk.choices[0]?.logprobs?.content?.length ?? 0
      usage = chunk.usage?.completion_tokens ?? usage
    }
    expect(text.length).toBeGreaterThan(40)
    expect(entries).toBe(40)
    expect(usage).toBe(40)
    await expect(
      new OpenAI({ baseURL: `${engine.url}/v1`, apiKey: 'wrong', maxRetries: 0 }).models.list(),
    ).rejects.toMatchObject({ status: 401 })
  })

  it('merges the tokens that were due while the sending part lagged, with all ids and logprobs', async () => {
    const body = { model: MODEL, messages: question('How is bread made?'), max_tokens: 60, seed: 3 }
    const request = { ...body, logprobs: true, return_tokens_as_token_ids: true, return_token_ids: true }
    const even = await (await startEngine()).stream(CHAT, request)
    const lagging = await startEngine({ tokensPerSecond: 500, sendLagMs: 20 })
    const merged = await lagging.stream(CHAT, request)
    expect(readChatStream(merged)).toEqual(readChatStream(even))
    const counts = merged.flatMap((event) => event.choices[0]?.token_ids?.length ?? [])
    expect(counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(60)
    expect(Math.max(...counts)).toBeGreaterThan(4)
    expect(counts.length).toBeLessThan(20)
    for (const { choices } of merged.slice(1))
      expect(choices[0].logprobs.content).toHaveLength(choices[0].token_ids.length)
  })

  it('sends a character split over tokens whole, after empty chunks', async () => {
    const { stream } = await startEngine()
    const tokenizer = loadTokenizer()
    const hedgehog = tokenizer.encode('🦔')
    const events = await stream(COMPLETIONS, {
      model: MODEL,
      prompt: 'The',
      temperature: 0,
      max_tokens: hedgehog.length,
      logprobs: 0,
      return_token_ids: true,
      logit_bias: { [hedgehog[0]!]: 100, [hedgehog[1]!]: 80 },
      frequency_penalty: 2,
    })
    const bytes = Buffer.concat(
      events.flatMap((event) => event.choices[0].token_ids.map((id: number) => tokenizer.pieceOf(id))),
    )
    expect(events[0]!.choices[0].text).toBe('')
    expect(events[0]!.choices[0].logprobs.tokens).toEqual(['\ufffd'])
    const text = events.map((event) => event.choices[0].text).join('')
    expect(bytes.toString().startsWith(text)).toBe(true)
  })

  it('keeps the logprobs and ids of several tokens in one chunk', async () => {
    const one = await startEngine()
    const four = await startEngine({ tokensPerChunk: 4 })
    const request = {
      model: MODEL,
      messages: question('Hi'),
      max_tokens: 10,
      seed: 1,
      logprobs: true,
      return_tokens_as_token_ids: true,
    }
    const single = await one.stream(CHAT, request)
    const merged = await four.stream(CHAT, request)
    expect(merged).toHaveLength(1 + 3)
    expect(merged.slice(1).map((event) => event.choices[0].logprobs.content.length)).toEqual([4, 4, 2])
    expect(readChatStream(merged)).toEqual(readChatStream(single))
  })

  it('stops at a stop string, sends none of it and reports which it was', async () => {
    const { post, stream } = await startEngine()
    const request = { model: MODEL, messages: question('Hi'), max_tokens: 60, temperature: 0 }
    const free = (await post(CHAT, request)).json.choices[0].message.content as string
    const stop = free.slice(30, 38)
    const events = await stream(CHAT, { ...request, stop: [stop, 'never said'] })
    expect(readChatStream(events).text).toBe(free.slice(0, free.indexOf(stop)))
    expect(events.at(-1)!.choices[0]).toMatchObject({ finish_reason: 'stop', stop_reason: stop })
    const kept = (await post(CHAT, { ...request, stop, include_stop_str_in_output: true })).json.choices[0]
    expect(kept.message.content.endsWith(stop)).toBe(true)
  })

  it('continues past the end with min_tokens and ignore_eos, and ends at stop_token_ids', async () => {
    const { post } = await startEngine()
    const request = {
      model: MODEL,
      messages: question('Hi'),
      max_tokens: 1500,
      seed: 2,
      return_token_ids: true,
    }
    const ended = (await post(CHAT, request)).json.choices[0]
    expect(ended).toMatchObject({ finish_reason: 'stop', stop_reason: null })
    const length = ended.token_ids.length
    for (const field of [{ min_tokens: length + 50 }, { ignore_eos: true }]) {
      const { json } = await post(CHAT, { ...request, ...field, max_tokens: length + 60 })
      expect(json.choices[0].token_ids.length).toBeGreaterThan(length)
    }
    const stopId = ended.token_ids[10]
    const stopped = (await post(CHAT, { ...request, stop_token_ids: [stopId] })).json.choices[0]
    expect(stopped).toMatchObject({ finish_reason: 'stop', stop_reason: stopId })
    expect(stopped.token_ids.at(-1)).toBe(stopId)
  })

  it('paces tokens by an absolute schedule despite late timers', async () => {
    const clock = new ManualClock()
    const { engine } = await startEngine({ tokensPerSecond: 10, timeToFirstTokenMs: 500 }, clock)
    const response = await fetch(engine.url + CHAT, {
      method: 'POST',
      body: JSON.stringify({ model: MODEL, messages: question('Hi'), max_tokens: 20, stream: true }),
    })
    const reader = response.body!.getReader()
    const seen = { tokens: 0, isDone: false }
    const reading = (async () => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        const text = Buffer.from(value).toString()
        seen.tokens += text.split('"delta":{"content"').length - 1
        seen.isDone ||= text.includes('[DONE]')
      }
    })()
    const until = async (tokens: number) => {
      while (seen.tokens < tokens) await settle()
      await settle()
      expect(seen.tokens).toBe(tokens)
    }
    const waiting = async () => {
      while (clock.waiting === 0) await settle()
    }
    await waiting()
    await clock.advance(499)
    await until(0)
    await clock.advance(1)
    await until(1)
    await waiting()
    await clock.advance(1950)
    await until(20)
    await reading
    expect(seen.isDone).toBe(true)
  })

  it('stops generating when the caller disconnects', async () => {
    const { engine } = await startEngine({ tokensPerSecond: 50 })
    const abort = new AbortController()
    const response = await fetch(engine.url + CHAT, {
      method: 'POST',
      signal: abort.signal,
      body: JSON.stringify({ model: MODEL, messages: question('Hi'), max_tokens: 4000, stream: true }),
    })
    await response.body!.getReader().read()
    expect(engine.load.running).toBe(1)
    abort.abort()
    while (engine.load.running > 0) await settle()
  })

  it('survives callers that disconnect at any point', async () => {
    const { engine, post } = await startEngine()
    for (let number = 0; number < 20; number++) {
      const abort = new AbortController()
      const response = await fetch(engine.url + CHAT, {
        method: 'POST',
        signal: abort.signal,
        body: JSON.stringify({ model: MODEL, messages: question('Hi'), max_tokens: 3000, stream: true }),
      })
      const reader = response.body!.getReader()
      for (let reads = 0; reads < number % 5; reads++) await reader.read()
      abort.abort()
    }
    while (engine.load.running > 0) await settle()
    expect((await post(COMPLETIONS, { model: MODEL, prompt: 'A' })).status).toBe(200)
  })
})
