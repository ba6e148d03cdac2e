import { expect, it } from 'vitest'
import { promptTokensBound } from '../../../../src/roles/hub/gateway/tokens-bound.js'

const chat = (...contents: unknown[]) => ({
  model: 'm',
  messages: contents.map((content) => ({ role: 'user', content })),
})

it('a prompt has at most as many tokens as bytes, and some for each message', () => {
  const text = 'é'.repeat(100)
  expect(promptTokensBound(chat(text))).toBeGreaterThanOrEqual(200 + 16)
  expect(promptTokensBound(chat(text, text))).toBeGreaterThanOrEqual(400 + 32)
  expect(promptTokensBound(chat(text))).toBeLessThan(300)
})

it('token ids count at least once each, tools and schemas as text', () => {
  expect(promptTokensBound({ model: 'm', prompt: Array.from({ length: 50 }, () => 7) })).toBeGreaterThan(50)
  const tools = [{ type: 'function', function: { name: 'f', description: 'x'.repeat(500) } }]
  expect(promptTokensBound({ ...chat('Hi'), tools })).toBeGreaterThan(500)
})

it('a file counts as one file, however large', () => {
  const url = `data:image/png;base64,${'A'.repeat(1_000_000)}`
  const bound = promptTokensBound(chat([{ type: 'image_url', image_url: { url } }]))
  expect(bound).toBeGreaterThan(16_384)
  expect(bound).toBeLessThan(20_000)
})

it('members that only say how to sample do not count', () => {
  const biased = { ...chat('Hi'), logit_bias: { '50256': -100 }, user: 'u'.repeat(500) }
  expect(promptTokensBound(biased)).toBe(promptTokensBound(chat('Hi')))
})
