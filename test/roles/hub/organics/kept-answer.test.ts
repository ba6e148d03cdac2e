import { describe, expect, it } from 'vitest'
import { KeptAnswer } from '../../../../src/roles/hub/organics/kept-answer.js'

const PORTION = 32 << 10

const chunkOf = (content: string) =>
  `{"id":"c","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}},"logprobs":{"content":[{"token":"token_id:1","logprob":-0.50,"bytes":[97]}]}}]}`

function keep(chunks: readonly string[]): KeptAnswer {
  const answer = new KeptAnswer('chat')
  for (const chunk of chunks) answer.add(chunk)
  return answer
}

const textOf = (answer: KeptAnswer) => `[${Buffer.concat(answer.portions() ?? [])}]`

describe('an answer that is kept', () => {
  it('has the members that validators read, in the characters of the miner', () => {
    expect(textOf(keep([chunkOf('a'), chunkOf('ü')]))).toBe(
      `[${['a', 'ü'].map((text) => `{"choices":[{"delta":{"content":"${text}"},"logprobs":{"content":[{"token":"token_id:1","logprob":-0.50}]}}]}`).join()}]`,
    )
  })

  it('is empty for a miner that sent nothing', () => {
    expect(textOf(new KeptAnswer('chat'))).toBe('[]')
  })

  it.each([
    [
      'a name with escapes',
      '{"choices":[{"delta":{"content":"honest"}}],"ch\\u006fices":[{"delta":{"content":"bad"}}]}',
    ],
    ['a name twice', '{"choices":[{"delta":{"content":"honest"}}],"choices":[{"delta":{"content":"bad"}}]}'],
    ['an inner name with escapes', '{"choices":[{"delta":{"content":"honest","\\u0063ontent":"bad"}}]}'],
  ])('says what users read: %s', (_, chunk) => {
    expect(JSON.parse(textOf(keep([chunk])))).toEqual([{ choices: [{ delta: { content: 'bad' } }] }])
  })

  it('takes no more work at its end than one chunk, however long it is', () => {
    const chunk = chunkOf('some text')
    for (const chunks of [4096, 16_384]) {
      const answer = keep(Array(chunks).fill(chunk))
      const encodedAsItPassed = answer.bytes
      const portions = answer.portions() ?? []
      expect(answer.bytes - encodedAsItPassed).toBeLessThan(PORTION + chunk.length)
      expect(Math.max(...portions.map(({ length }) => length))).toBeLessThan(PORTION + chunk.length)
      expect(JSON.parse(textOf(answer))).toHaveLength(chunks)
    }
  })

  it('counts its bytes, and at least as many values as a reader', () => {
    const answer = keep([chunkOf('a,b'), chunkOf('c')])
    expect(answer.portions()?.map(({ length }) => length)).toEqual([answer.bytes])
    const inner = textOf(answer).slice(1, -1)
    expect(answer.values).toBe(inner.match(/[,[{]/g)?.length)
  })

  it.each([
    ['chunks', 100_001, '{"choices":[{}]}'],
    ['bytes', 300, chunkOf('a'.repeat(30_000))],
    ['values', 3000, chunkOf(','.repeat(200))],
  ])('is given up with too many %s, and holds no memory from then on', (_, count, chunk) => {
    const answer = keep(Array(count).fill(chunk))
    const { bytes } = answer
    answer.add(chunk)
    expect(answer.portions()).toBeUndefined()
    expect(answer.bytes).toBe(bytes)
  })
})
