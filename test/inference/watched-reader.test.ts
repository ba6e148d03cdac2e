import { expect, test } from 'vitest'
import { createAnswerReader } from '../../src/inference/answer-reader.js'
import { STRICT_BURST_RULE, type StallWatch, type StreamProgress } from '../../src/inference/index.js'
import { watchReader } from '../../src/inference/watched-reader.js'
import { chatChunk } from '../support/stream-server.js'

const stalls: StallWatch = { stallSince: () => 300, delayAt: (atMs) => (atMs === 1000 ? 80 : 0) }
const plain = () =>
  createAnswerReader({
    ...{ endpoint: 'chat', maxTokens: 100, tokenLimit: 164 },
    ...{ rules: 'strict', burst: STRICT_BURST_RULE },
  })

test('reports tokens and the time since the first one, with every chunk that has content', () => {
  const seen: StreamProgress[] = []
  const reader = watchReader(plain(), { onProgress: (progress) => seen.push(progress) })
  reader.accept(100, { choices: [{ delta: { role: 'assistant' } }] })
  for (const atMs of [500, 900, 5300]) reader.accept(atMs, chatChunk('a', 1))
  expect(seen).toEqual([
    { tokens: 1, streamedMs: 0 },
    { tokens: 2, streamedMs: 400 },
    { tokens: 3, streamedMs: 4800 },
  ])
  expect(reader.finish(0, 6000, undefined)).not.toHaveProperty('stallMs')
})

test('counts only a stall at the end of the answer, because earlier ones do not change its speed', () => {
  const reader = watchReader(plain(), { stalls })
  reader.accept(500, chatChunk('a', 1))
  expect(reader.finish(0, 999, undefined)).toMatchObject({ stallMs: 0, tokensPerSecond: 1000 / 999 })
  expect(reader.finish(0, 1000, undefined)).toMatchObject({ stallMs: 80 })
})

test('counts every stall for a burst, which is seen by the times of all tokens', () => {
  const reader = watchReader(plain(), { stalls })
  for (let index = 0; index < 80; index++) reader.accept(990 + index / 10, chatChunk('a', 1))
  expect(reader.finish(0, 998, undefined)).toMatchObject({ fault: { timed: 'burst' }, stallMs: 300 })
})
