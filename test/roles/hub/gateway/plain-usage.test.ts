import { expect, it } from 'vitest'
import { createPlainUsage } from '../../../../src/roles/hub/gateway/plain-usage.js'
import { sse } from '../../../support/fake-vllm.js'

const JSON_TYPE = 'application/json'
const STREAM = 'text/event-stream; charset=utf-8'

function usageOf(contentType: string, ...pieces: readonly string[]) {
  const usage = createPlainUsage(contentType)
  for (const piece of pieces) usage.add(Buffer.from(piece))
  return usage.result()
}

it.each([
  ['of OpenAI', { usage: { prompt_tokens: 3, completion_tokens: 5 } }],
  ['of Anthropic', { usage: { input_tokens: 3, output_tokens: 5 } }],
])('reads the usage %s from a body in pieces, and from the last event that has one', (_, body) => {
  const text = JSON.stringify(body)
  const expected = { promptTokens: 3, tokens: 5 }
  expect(usageOf(JSON_TYPE, text.slice(0, 9), text.slice(9))).toEqual(expected)
  const events = sse({ usage: null }, body, '[DONE]')
  expect(usageOf(STREAM, events.slice(0, 7), events.slice(7))).toEqual(expected)
  expect(usageOf(STREAM, sse({ type: 'response.completed', response: body }))).toEqual(expected)
})

it('counts events or bytes where the miner says nothing that can be read', () => {
  expect(usageOf(STREAM, sse({}, {}, {}))).toEqual({ promptTokens: undefined, tokens: 3 })
  expect(usageOf(JSON_TYPE, '{"a":"bcd"}')).toEqual({ promptTokens: undefined, tokens: 3 })
  expect(usageOf(JSON_TYPE, '{"usage":{"completion_tokens":-1}}')).toMatchObject({ tokens: 9 })
  expect(usageOf(STREAM, 'data: \xff\n\n', `data: ${'x'.repeat(5 << 20)}`).tokens).toBeGreaterThan(1 << 20)
})
