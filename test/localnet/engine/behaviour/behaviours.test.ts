import { afterEach, describe, expect, it } from 'vitest'
import { BEHAVIOURS, type BehaviourName, loadModel } from '../../../../src/localnet/engine/index.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'
import {
  closeEngines,
  type EngineClient,
  type Json,
  MODEL,
  question,
  readChatStream,
  startEngine,
} from '../engine-client.js'
import { breaksRankRules, rankWith } from '../samples.js'

afterEach(closeEngines)

const CHAT = '/v1/chat/completions'
const MAX_TOKENS = 96
const messages = question('How do rivers grow?')
const request = {
  model: MODEL,
  messages,
  max_tokens: MAX_TOKENS,
  temperature: 0.6,
  seed: 5,
  logprobs: true,
  return_tokens_as_token_ids: true,
}

/** What this engine sends, and what an honest one sends. */
async function compare(behaviour: BehaviourName) {
  const client = await startEngine({ behaviour })
  const sent = readChatStream(await client.stream(CHAT, request))
  client.engine.setBehaviour('honest')
  const honest = readChatStream(await client.stream(CHAT, request))
  const input = (await client.post('/tokenize', { model: MODEL, messages })).json.tokens as number[]
  const ranks = rankWith(loadModel(MODEL), input, sent.ids)
  const detokenized = (await client.post('/detokenize', { tokens: sent.ids.filter((id) => id < 1262) })).json
  return { sent, honest, ranks, detokenized: detokenized.prompt as string }
}

describe('behaviours', () => {
  it('honest: sends what the model generates', async () => {
    const { sent, honest, ranks, detokenized } = await compare('honest')
    expect(sent).toEqual(honest)
    expect(breaksRankRules(ranks)).toBe(false)
    // an incomplete character at the very end is not sent
    expect(detokenized.replace(/\ufffd+$/, '')).toBe(sent.text)
  })

  it.each(['other-model', 'replay', 'double-tokens'] as const)(
    '%s: the requested model would not generate it',
    async (name) => {
      const { sent, ranks } = await compare(name)
      expect(sent.ids).toHaveLength(MAX_TOKENS)
      expect(breaksRankRules(ranks)).toBe(true)
    },
  )

  it('quantised: ranks differ, but only moderately', async () => {
    const { sent, ranks } = await compare('quantised')
    const notFirst = ranks.filter((rank) => rank !== 1).length / ranks.length
    expect(notFirst).toBeGreaterThan(0.3)
    expect(Math.max(...ranks)).toBeLessThan(75)
    expect(sent.ids).toHaveLength(MAX_TOKENS)
  })

  it.each([
    'made-up-logprobs',
    'zero-logprobs',
    'absurd-logprobs',
    'positive-logprobs',
    'unreadable-logprobs',
    'constant-logprobs',
  ] as const)('%s: real tokens with false logprobs', async (name) => {
    const client = await startEngine({ behaviour: name })
    const { text } = await client.post(CHAT, { ...request, stream: true })
    const lenient = text.replaceAll(/"logprob":(NaN|-?Infinity)/g, '"logprob":"$1"')
    const events = lenient.split('\n\n').slice(0, -2)
    const sent = readChatStream(events.map((event) => JSON.parse(event.slice(6))))
    client.engine.setBehaviour('honest')
    const honest = readChatStream(await client.stream(CHAT, request))
    expect(sent.ids).toEqual(honest.ids)
    expect(sent.text).toBe(honest.text)
    const agreeing = sent.logprobs.filter((logprob, index) => logprob === honest.logprobs[index])
    expect(agreeing).toEqual([])
    const expected = {
      'zero-logprobs': ['0'],
      'absurd-logprobs': ['-100'],
      'positive-logprobs': ['5'],
      'unreadable-logprobs': ['NaN', 'Infinity', '1000'],
      'constant-logprobs': ['-0.05'],
    }
    if (name !== 'made-up-logprobs') expect([...new Set(sent.logprobs.map(String))]).toEqual(expected[name])
  })

  it('blurred-logprobs: off by up to 0.6 nats', async () => {
    const { sent, honest } = await compare('blurred-logprobs')
    expect(sent.ids).toEqual(honest.ids)
    const errors = sent.logprobs.map((logprob, index) => Math.abs(logprob - (honest.logprobs[index] ?? 0)))
    expect(Math.max(...errors)).toBeGreaterThan(0.4)
    expect(Math.max(...errors)).toBeLessThanOrEqual(0.6)
    expect(Math.max(...sent.logprobs)).toBeLessThanOrEqual(0)
  })

  it('no-logprobs: neither logprobs nor ids', async () => {
    const { stream } = await startEngine({ behaviour: 'no-logprobs' })
    for (const event of await stream(CHAT, request)) expect(event.choices[0].logprobs).toBeNull()
  })

  it('wrong-ids and garbage-text: text and ids disagree', async () => {
    const wrongIds = await compare('wrong-ids')
    expect(wrongIds.sent.text).toBe(wrongIds.honest.text)
    expect(wrongIds.sent.ids).not.toEqual(wrongIds.honest.ids)
    const garbage = await compare('garbage-text')
    expect(garbage.sent.ids).toEqual(garbage.honest.ids)
    expect(garbage.sent.text).not.toBe(garbage.honest.text)
    expect(garbage.sent.text).toHaveLength(garbage.honest.text.length)
  })

  it('empty-padding: max_tokens tokens with the text of twelve, padded without delay', async () => {
    const { engine, stream } = await startEngine({ behaviour: 'empty-padding', tokensPerSecond: 100 })
    const startedAt = performance.now()
    const sent = readChatStream(await stream(CHAT, { ...request, max_tokens: 1900 }))
    expect(performance.now() - startedAt).toBeLessThan(19_000)
    engine.setBehaviour('honest')
    const honest = readChatStream(await stream(CHAT, { ...request, max_tokens: 12 }))
    expect(sent.ids).toHaveLength(1900)
    expect(sent.text).toBe(honest.text)
    expect(sent.finish).toBe('length')
  })

  it('too-short, three-tokens, too-long, early-end, empty-answer: wrong lengths', async () => {
    const lengths: [BehaviourName, number, string | undefined][] = [
      ['too-short', 2, 'stop'],
      ['three-tokens', 3, 'stop'],
      ['too-long', MAX_TOKENS + 16, 'length'],
      ['early-end', 32, 'stop'],
      ['empty-answer', 0, undefined],
    ]
    for (const [behaviour, length, finish] of lengths) {
      const { stream } = await startEngine({ behaviour })
      const sent = readChatStream(await stream(CHAT, request))
      expect([behaviour, sent.ids.length, sent.finish]).toEqual([behaviour, length, finish])
    }
  })

  it('skips-eos: continues past certain ends', async () => {
    const { engine, stream, post } = await startEngine({ behaviour: 'skips-eos' })
    const sent = readChatStream(await stream(CHAT, { ...request, max_tokens: 1500 }))
    expect(sent.ids).toHaveLength(1500)
    engine.setBehaviour('honest')
    const input = (await post('/tokenize', { model: MODEL, messages })).json.tokens
    const context = loadModel(MODEL).start()
    for (const id of input) context.push(id)
    const end = loadModel(MODEL).tokenizer.special('<|eot_id|>')
    let certainEnds = 0
    for (const id of sent.ids) {
      if (context.next().logprobOf(end) > Math.log(0.9)) certainEnds += 1
      context.push(id)
    }
    expect(certainEnds).toBeGreaterThan(1)
  })

  it('multi-token-chunks: four tokens per chunk, each with its id', async () => {
    const { stream } = await startEngine({ behaviour: 'multi-token-chunks' })
    const events = await stream(CHAT, request)
    expect(events).toHaveLength(1 + MAX_TOKENS / 4)
    expect(readChatStream(events).ids).toHaveLength(MAX_TOKENS)
  })

  it('generate-first: nothing until the last token is due, then everything at once', async () => {
    const clock = new ManualClock()
    const { engine } = await startEngine({ behaviour: 'generate-first', tokensPerSecond: 10 }, clock)
    const answer = fetch(engine.url + CHAT, {
      method: 'POST',
      body: JSON.stringify({ ...request, stream: true }),
    }).then((response) => response.text())
    let hasArrived = false
    void answer.then(() => {
      hasArrived = true
    })
    while (clock.waiting === 0) await settle()
    await clock.advance(9_500)
    expect(hasArrived).toBe(false)
    await clock.advance(200)
    expect((await answer).split('\n\n').length).toBeGreaterThan(MAX_TOKENS)
  })

  it('stall and drip: pauses of 8 and 4.9 seconds; the drip is endless', async () => {
    const silences: [BehaviourName, number][] = [
      ['stall', 8_000],
      ['drip', 4_900],
    ]
    for (const [behaviour, silenceMs] of silences) {
      const clock = new ManualClock()
      const { engine } = await startEngine({ behaviour }, clock)
      const abort = new AbortController()
      const response = await fetch(engine.url + CHAT, {
        method: 'POST',
        signal: abort.signal,
        body: JSON.stringify({ ...request, max_tokens: 9, stream: true }),
      })
      let text = ''
      const reading = (async () => {
        for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
          text += Buffer.from(bytes).toString()
        }
      })().catch(() => undefined)
      while (clock.waiting === 0) await settle()
      await clock.advance(silenceMs - 1)
      const before = text
      await clock.advance(1)
      while (text === before) await settle()
      if (behaviour === 'drip') {
        for (let turn = 0; turn < 20; turn++) {
          while (clock.waiting === 0) await settle()
          await clock.advance(silenceMs)
        }
        expect(text).not.toContain('[DONE]')
        abort.abort()
      }
      await reading
      if (behaviour === 'stall') expect(text).toContain('[DONE]')
    }
  })

  it('endless-line, huge-event, event-flood: more than 4 MB', async () => {
    const readBytes = async ({ engine }: EngineClient, limit: number) => {
      const abort = new AbortController()
      const response = await fetch(engine.url + CHAT, {
        method: 'POST',
        signal: abort.signal,
        body: JSON.stringify({ ...request, stream: true }),
      })
      let size = 0
      let tail = ''
      for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
        size += bytes.length
        tail = Buffer.from(bytes).toString().slice(-100)
        if (size > limit) break
      }
      abort.abort()
      return { size, tail }
    }
    const limit = 4_000_000
    const line = await readBytes(await startEngine({ behaviour: 'endless-line' }), limit)
    expect(line).toMatchObject({ tail: expect.stringMatching(/^x+$/) })
    for (const behaviour of ['huge-event', 'event-flood'] as const) {
      const { size } = await readBytes(await startEngine({ behaviour }), limit)
      expect(size).toBeGreaterThan(limit)
    }
  })

  it('malformed and crash-ids: input a parser must survive', async () => {
    const malformed = await startEngine({ behaviour: 'malformed' })
    const { text } = await malformed.post(CHAT, { ...request, stream: true })
    const broken = text.split('\n\n').filter((event) => {
      try {
        const body = JSON.parse(event.replace(/^data: /, ''))
        return typeof body !== 'object' || !body.choices?.[0]?.delta
      } catch {
        return event !== '' && event !== 'data: [DONE]'
      }
    })
    expect(broken.length).toBeGreaterThan(10)
    const crash = readChatStream(await (await startEngine({ behaviour: 'crash-ids' })).stream(CHAT, request))
    expect(crash.ids.some((id) => id > 2 ** 53)).toBe(true)
    expect(crash.logprobs).toContain(1000)
    expect(crash.text).toMatch(/[\ud800-\udfff]/)
  })

  it('http-*, refuse, reset, silent, redirect, gzip-bomb: no usable response', async () => {
    const send = async (behaviour: BehaviourName, stream = true) => {
      const { engine } = await startEngine({ behaviour })
      return await fetch(engine.url + CHAT, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(behaviour === 'silent' ? 300 : 10_000),
        body: JSON.stringify({ ...request, stream }),
      })
    }
    for (const status of [500, 429, 404] as const) expect((await send(`http-${status}`)).status).toBe(status)
    await expect(send('refuse')).rejects.toThrow()
    await expect(send('reset').then((response) => response.text())).rejects.toThrow()
    await expect(send('silent')).rejects.toMatchObject({ name: 'TimeoutError' })
    const redirect = await send('redirect')
    expect([redirect.status, redirect.headers.get('location')]).toEqual([
      307,
      expect.stringContaining('127.0.0.1'),
    ])
    const bomb = await send('gzip-bomb')
    expect(bomb.headers.get('content-encoding')).toBe('gzip')
    let inflated = 0
    for await (const bytes of bomb.body as unknown as AsyncIterable<Uint8Array>) {
      inflated += bytes.length
      if (inflated > 32 * 1024 * 1024) break
    }
    expect(inflated).toBeGreaterThan(32 * 1024 * 1024)
  })

  it('affect nothing but answers', async () => {
    const { engine, get, post } = await startEngine()
    const facts = async (): Promise<Json[]> => [
      (await get('/v1/models')).json.data[0].id,
      (await post('/tokenize', { model: MODEL, messages })).json,
    ]
    const expected = await facts()
    for (const name of BEHAVIOURS) {
      engine.setBehaviour(name)
      expect(engine.behaviour).toBe(name)
      expect(await facts()).toEqual(expected)
    }
  })
})
