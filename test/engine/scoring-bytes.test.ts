import { describe, expect, it } from 'vitest'
import { readScoring } from '../../src/engine/scoring-bytes.js'
import { parseScoring } from '../../src/engine/scoring-call.js'

const TEXTS = [' the', '}},{"', '"}},{"7":{', '}}]', '"prompt_logprobs":[', '\\', 'é🎈\n', null, '{', '\\"}']
const requests = [
  { input: [1, 2, 3], output: [4, 5], temperature: 1, topK: 3 },
  { input: [1, 2], output: [6], temperature: 1, topK: 3 },
  { input: [1, 2, 9, 8], output: [7, 7, 7], temperature: 1, topK: 3 },
]

/** What a position holds beside its own token. */
type Position = Record<string, object> | null

function positionOf(id: number, salt: number): Position {
  const entries = [id, 100 + salt, 200 + salt].map((token, index) => {
    const decoded = TEXTS[(salt + index) % TEXTS.length]
    return [
      String(token),
      { logprob: -0.25 * (index + 1) - 1e-7 * salt, rank: index + 1, decoded_token: decoded },
    ]
  })
  return Object.fromEntries(entries)
}

const choicesOf = (salt: number) =>
  requests.map(({ input, output }, index) => ({
    index,
    text: TEXTS[salt % TEXTS.length] ?? '',
    logprobs: { top_logprobs: [{ 'token_id:9': -3, 'token_id:8': -0.2 }] },
    prompt_logprobs: [...input, ...output].map((id, at) =>
      at === 0 ? null : positionOf(id, salt + 3 * at + index),
    ),
    prompt_token_ids: null,
  }))
const bodyOf = (choices: unknown = choicesOf(0)) => ({ id: 'cmpl-1', choices, usage: { total_tokens: 3 } })
const bytesOf = (body: unknown, indent?: number) => Buffer.from(JSON.stringify(body, undefined, indent))
const read = (bytes: Buffer) => readScoring(bytes, requests).map((one) => one())

describe('the bytes of a scoring response', () => {
  it('give the same result as the response parsed as a whole, whatever the texts of tokens contain', () => {
    for (let salt = 0; salt < 40; salt++) {
      const body = bodyOf(choicesOf(salt))
      expect(read(bytesOf(body))).toEqual(parseScoring(body, requests))
    }
  })

  it('are skipped where they belong to a prompt', () => {
    const text = JSON.stringify(bodyOf()).replace('"rank":1', '"rank":unread')
    expect(read(Buffer.from(text))).toEqual(parseScoring(bodyOf(), requests))
  })

  it('are parsed as a whole when they have another format', () => {
    const expected = parseScoring(bodyOf(), requests)
    expect(read(bytesOf(bodyOf(), 2))).toEqual(expected)
    const extended = JSON.stringify(bodyOf()).replaceAll('"rank":', '"new":[1],"rank":')
    expect(read(Buffer.from(extended))).toEqual(expected)
    const unlikely = JSON.stringify(bodyOf()).replaceAll(/-0\.5\d*/g, 'null')
    expect(read(Buffer.from(unlikely))).toEqual(parseScoring(JSON.parse(unlikely), requests))
  })

  it.each<[string, unknown, string]>([
    ['no choice', [], '0 choices for 3 answers'],
    ['choices out of order', choicesOf(0).reverse(), 'out of order'],
    [
      'a list too short',
      [{ ...choicesOf(0)[0], prompt_logprobs: [null] }, ...choicesOf(0).slice(1)],
      '1 prompt_logprobs for 5',
    ],
    [
      'a list too long',
      choicesOf(0).map((one) => ({ ...one, prompt_logprobs: [...one.prompt_logprobs, positionOf(1, 1)] })),
      '6 prompt_logprobs for 5',
    ],
    [
      'another answer’s tokens',
      choicesOf(0).map((one) => ({
        ...one,
        prompt_logprobs: one.prompt_logprobs.map((position, at) => (at === 0 ? position : positionOf(1, at))),
      })),
      'does not contain its token 4',
    ],
    [
      'a logprob above 0',
      JSON.parse(JSON.stringify(choicesOf(0)).replaceAll('-0.25', '0.25')),
      'logprob 0.25',
    ],
    ['no top_logprobs', choicesOf(0).map((one) => ({ ...one, logprobs: null })), 'no top_logprobs'],
  ])('with %s are an error', (_, choices, reason) => {
    expect(() => read(bytesOf(bodyOf(choices)))).toThrow(
      expect.objectContaining({ code: 'ENGINE_ANSWER', message: expect.stringContaining(reason) }),
    )
  })

  it('that are not JSON are an error', () => {
    for (const text of ['<html>', JSON.stringify(bodyOf()).slice(0, -3), ''])
      expect(() => read(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'ENGINE_ANSWER' }))
  })
})
