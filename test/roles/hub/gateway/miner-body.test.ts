import { describe, expect, it } from 'vitest'
import { encodeRequest } from '../../../../src/inference/request.js'
import { createRandom, makePrompt } from '../../../../src/prompts/index.js'
import { chatBody, completionBody } from '../../../../src/roles/hub/gateway/body-schemas.js'
import { chatForMiner, completionForMiner } from '../../../../src/roles/hub/gateway/miner-body.js'
import { ManualClock } from '../../../support/manual-clock.js'

const MODEL = 'org/model'
const messages = [{ role: 'user', content: 'Hi' }]
const random = createRandom('seeds')
const sampling = { maxTokens: 100, defaultTokens: 50, seed: () => random.integer(1, 2 ** 31 - 1) }

/** Requests that a validator makes up for several miners. */
async function validatorsBodies(endpoint: 'chat' | 'completion'): Promise<Record<string, unknown>[]> {
  const prompt = await makePrompt(
    {
      ...{ model: MODEL, endpoints: [endpoint], maxTokens: { min: 64, max: 96 }, asksForUsage: true },
      ...{ random: createRandom('shape'), clock: new ManualClock() },
    },
    new AbortController().signal,
  )
  return Array.from({ length: 200 }, (_, miner) =>
    JSON.parse(Buffer.from(encodeRequest(prompt.forMiner(`m${miner}`))).toString()),
  )
}

const chat = (more: object = {}, isVerifiable = true) =>
  chatForMiner(chatBody.parse({ model: MODEL, messages, ...more }), sampling, isVerifiable).body
const completion = (more: object = {}) =>
  completionForMiner(completionBody.parse({ model: MODEL, prompt: 'Hi', ...more }), sampling, true).body

/** Members with the type of each value. */
const shapeOf = (body: object) =>
  Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      name === 'messages' ? 'list' : JSON.stringify(typeof value),
    ]),
  )
const firstOf = (bodies: readonly object[]) => new Set(bodies.map((body) => Object.keys(body)[0]))

describe.each([
  ['chat' as const, chat],
  ['completion' as const, completion],
])('a %s of a user', (endpoint, ours) => {
  it('has member for member what the requests of validators have', async () => {
    const theirs = await validatorsBodies(endpoint)
    const shape = shapeOf(theirs[0] ?? {})
    for (const body of theirs) expect(shapeOf(body)).toEqual(shape)
    const wishes = [
      {},
      { stream: true, stream_options: { include_usage: false } },
      { temperature: 0.3, top_p: null, user: 'u', metadata: { a: 'b' }, prompt_cache_key: 'k', store: true },
      ...(endpoint === 'chat' ? [{ max_completion_tokens: 30, logprobs: false }] : []),
    ]
    for (const wish of wishes) expect(shapeOf(ours(wish))).toEqual(shape)
    for (const name of [
      'top_p',
      'top_k',
      'min_p',
      'presence_penalty',
      'repetition_penalty',
      'stream_options',
    ])
      expect(ours()[name]).toEqual(theirs[0]?.[name])
  })

  it('has its members in as many orders', async () => {
    const theirs = await validatorsBodies(endpoint)
    expect(firstOf(Array.from({ length: 200 }, () => ours()))).toEqual(firstOf(theirs))
  })
})

describe('a request to a miner', () => {
  it('keeps what the user says about the answer', () => {
    expect(chat({ stop: ['x'], top_p: 0.9, seed: 5, temperature: 0, max_tokens: 999 })).toMatchObject({
      ...{ stop: ['x'], top_p: 0.9, seed: 5, temperature: 0, max_tokens: 100 },
    })
    expect(completion({ logprobs: 3 })).toMatchObject({ logprobs: 3, max_tokens: 50 })
  })

  it('that cannot be verified gets a limit of tokens and nothing else', () => {
    const { max_tokens, ...rest } = chat({ n: 2, user: 'u', temperature: null }, false)
    expect([max_tokens, rest]).toEqual([50, { model: MODEL, messages, n: 2 }])
  })
})
