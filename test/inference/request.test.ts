import { expect, it } from 'vitest'
import { encodeRequest } from '../../src/inference/request.js'
import type { InferenceRequest } from '../../src/inference/types.js'

const request: InferenceRequest = {
  endpoint: 'chat',
  model: 'org/m',
  seed: 7,
  temperature: 0.5,
  maxTokens: 5,
  messages: [{ role: 'user', content: 'Hi' }],
}

const membersOf = (one: InferenceRequest) => Object.keys(JSON.parse(encodeRequest(one).toString()))

it('states every cut and penalty, so that no generation_config.json of a model applies', () => {
  expect(JSON.parse(encodeRequest(request).toString())).toEqual({
    ...{ seed: 7, max_tokens: 5, temperature: 0.5, model: 'org/m', stream: true, logprobs: true },
    messages: [{ role: 'user', content: 'Hi' }],
    ...{ top_p: 1, top_k: -1, min_p: 0 },
    ...{ presence_penalty: 0, frequency_penalty: 0, repetition_penalty: 1 },
  })
})

it('asks for usage only where the reader expects it', () => {
  expect(membersOf(request)).not.toContain('stream_options')
  expect(JSON.parse(encodeRequest({ ...request, asksForUsage: true }).toString())).toMatchObject({
    stream_options: { include_usage: true },
  })
})

it('writes the members of 4.4.1 in its order when the cuts are left to the server', () => {
  expect(membersOf({ ...request, mayBeCut: true })).toEqual([
    ...['seed', 'max_tokens', 'temperature', 'model', 'stream', 'logprobs', 'messages'],
  ])
})

it('writes the same members in many orders, those of clients among them', () => {
  const orders = Array.from({ length: 400 }, (_, layout) => membersOf({ ...request, layout }))
  expect(new Set(orders.map((order) => order.join())).size).toBeGreaterThan(150)
  expect(new Set(orders.map((order) => [...order].sort().join())).size).toBe(1)
  expect(orders.filter(([first]) => first === 'model').length).toBeGreaterThan(100)
  expect(orders.filter(([first]) => first === 'messages').length).toBeGreaterThan(50)
  expect(membersOf({ ...request, layout: 5 })).toEqual(membersOf({ ...request, layout: 5 }))
})
