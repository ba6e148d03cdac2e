import { expect, it } from 'vitest'
import { resolveSettings } from '../../../src/config/index.js'

const resolve = (flags: Record<string, string>) => resolveSettings('validator', { flags, env: {} }).values

it.each([
  'vllm/vllm-openai',
  'vllm-openai',
  'mirror.example/vllm/vllm-openai',
  'localhost:5000/a/b_c/d--e',
  `ghcr.io/org/vllm@sha256:${'0a'.repeat(32)}`,
])('takes the image %s', (image) => {
  expect(resolve({ 'engine.image': image })['engine.image']).toBe(image)
})

it.each([
  'vllm/vllm-openai:v0.10.0',
  'https://mirror.example/vllm',
  'vllm/',
  '/vllm',
  'Vllm/openai',
  'vllm openai',
  'vllm@sha256:1',
  `${'a-'.repeat(5_000)}!`,
])('refuses the image %s', (image) => {
  expect(() => resolve({ 'engine.image': image })).toThrow(
    expect.objectContaining({ message: expect.stringContaining('without tag') }),
  )
})

it.each(['latest', 'v0.10.0', '1.2-rc_3'])('takes the tag %s', (tag) => {
  expect(resolve({ 'engine.image-tag': tag })['engine.image-tag']).toBe(tag)
})

it.each(['None:1', '', 'v 1', '-v1', 'v1/../..', 'vllm/vllm-openai:latest', 'v'.repeat(129)])(
  'refuses the tag "%s"',
  (tag) => {
    expect(() => resolve({ 'engine.image-tag': tag })).toThrow(
      expect.objectContaining({ code: expect.stringContaining('CONFIG') }),
    )
  },
)
