import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editBody } from '../../src/routing/json-body.js'

const edit = (text: string, change: Parameters<typeof editBody>[1]) =>
  editBody(Buffer.from(text), change).toString()

describe('editBody', () => {
  it('sets model and token ids in any JSON object and changes nothing else', () => {
    const object = fc.dictionary(
      fc.oneof(fc.string(), fc.constant('model'), fc.constant('return_tokens_as_token_ids')),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(object, fc.nat(3), fc.string(), (value, indent, model) => {
        const sent = JSON.stringify(value, null, indent)
        const result: unknown = JSON.parse(edit(sent, { model, addTokenIds: true }))
        // Parsed from the text, since JSON drops what it cannot carry (-0).
        const expected = {
          ...(JSON.parse(sent) as object),
          ...('model' in value ? { model } : {}),
          return_tokens_as_token_ids: true,
        }
        expect(result).toEqual(expected)
      }),
    )
  })

  it('preserves large numbers and spacing, and edits both of two duplicate keys', () => {
    expect(edit('{ "seed":12345678901234567890,"model" : "a" , "model":"b","t":1.0}', { model: 'x' })).toBe(
      '{ "seed":12345678901234567890,"model" : "x" , "model":"x","t":1.0}',
    )
    expect(edit('{}', { addTokenIds: true })).toBe('{"return_tokens_as_token_ids":true}')
    expect(edit('{"a":{"model":"inner"},"m\\u006fdel":"a"}', { model: 'é"' })).toBe(
      '{"a":{"model":"inner"},"m\\u006fdel":"é\\""}',
    )
  })
})
