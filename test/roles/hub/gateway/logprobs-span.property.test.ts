import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withoutLogprobs } from '../../../../src/roles/hub/gateway/logprobs-span.js'

const name = fc.oneof(fc.constantFrom('logprobs', 'choices', 'delta', '__proto__', ''), fc.string())
const json = fc.jsonValue({ maxDepth: 4 })
const object = fc.dictionary(name, json, { maxKeys: 5 })
const choice = fc.tuple(object, fc.option(json, { nil: undefined })).map(([members, logprobs]) => {
  const rest = Object.entries(members).filter(([key]) => key !== 'logprobs')
  return logprobs === undefined
    ? Object.fromEntries(rest)
    : Object.fromEntries([...rest, ['logprobs', logprobs]])
})
const chunk = fc
  .tuple(object, fc.array(choice, { maxLength: 4 }))
  .map(([members, choices]) => ({ ...members, choices }))
/** No spaces, or those that JSON allows. */
const indent = fc.constantFrom(undefined, 1, '\t')

describe('a chunk without log probabilities', () => {
  it('has null in their place, and everything else as it was', () => {
    fc.assert(
      fc.property(chunk, indent, (value, spaces) => {
        const text = JSON.stringify(value, null, spaces)
        const expected = JSON.parse(text)
        for (const one of expected.choices) if ('logprobs' in one) one.logprobs = null
        expect(JSON.parse(withoutLogprobs(text))).toEqual(expected)
      }),
    )
  })

  it('keeps every other character: without spaces it is what JSON.stringify writes', () => {
    fc.assert(
      fc.property(chunk, (value) => {
        const expected = JSON.parse(JSON.stringify(value))
        for (const one of expected.choices) if (Object.hasOwn(one, 'logprobs')) one.logprobs = null
        expect(withoutLogprobs(JSON.stringify(value))).toBe(JSON.stringify(expected))
      }),
    )
  })

  it('ends for every text, JSON or not', () => {
    fc.assert(fc.property(fc.string(), (text) => void withoutLogprobs(text)))
  })

  it.each([
    [
      '{"choices":[{"logprobs":{"content":[{"token":"}]"}]},"index":0}]}',
      '{"choices":[{"logprobs":null,"index":0}]}',
    ],
    [
      '{ "choices" : [ { "logprobs" : 1.50 , "x" : 1e5 } ] }',
      '{ "choices" : [ { "logprobs" : null , "x" : 1e5 } ] }',
    ],
    ['{"choices":[{"logprobs":1,"logprobs":2}]}', '{"choices":[{"logprobs":null,"logprobs":null}]}'],
    [String.raw`{"choices":[{"logprob\u0073":[1]}]}`, String.raw`{"choices":[{"logprob\u0073":null}]}`],
    [
      '{"choices":[{"delta":{"logprobs":1}}],"logprobs":2}',
      '{"choices":[{"delta":{"logprobs":1}}],"logprobs":2}',
    ],
    ['{"choices":{"logprobs":1}}', '{"choices":{"logprobs":1}}'],
    ['{"choices":[]}', '{"choices":[]}'],
  ])('%s becomes %s', (text, expected) => {
    expect(withoutLogprobs(text)).toBe(expected)
  })
})
