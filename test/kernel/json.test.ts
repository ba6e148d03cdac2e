import { expect, it } from 'vitest'
import { parseJson } from '../../src/kernel/json.js'

it.each(['', '{', '{"a":1}x', 'NaN', "{'a':1}"])('parseJson returns undefined for %j', (text) => {
  expect(parseJson(text)).toBeUndefined()
})

it('parseJson tells null from invalid JSON', () => {
  expect(parseJson('null')).toBeNull()
  expect(parseJson(' {"a":[1]} ')).toEqual({ a: [1] })
})
