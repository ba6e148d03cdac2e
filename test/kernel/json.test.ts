import { expect, it } from 'vitest'
import { parseJson } from '../../src/kernel/json.js'

it.each(['', '{', '{"a":1}x', 'NaN', "{'a':1}"])('is undefined, not an exception, for %j', (text) => {
  expect(parseJson(text)).toBeUndefined()
})

it('keeps null apart from no JSON at all', () => {
  expect(parseJson('null')).toBeNull()
  expect(parseJson(' {"a":[1]} ')).toEqual({ a: [1] })
})
