import { expect, it } from 'vitest'
import { parseJson } from '../../src/kernel/json.js'

it.each(['', '{', '{"a":1}x', 'NaN', "{'a':1}"])('parseJson returns undefined for %j', (text) => {
  expect(parseJson(text)).toBeUndefined()
})

it('parseJson does not parse text beyond its bounds', () => {
  const bounds = { depth: 2, values: 4 }
  expect(parseJson('[[1,2]]', bounds)).toEqual([[1, 2]])
  expect(parseJson('[[[]]]', bounds)).toBeUndefined()
  expect(parseJson('[1,2,3,4]', bounds)).toBeUndefined()
  expect(parseJson('"[[[["', bounds)).toBe('[[[[')
})

it('parseJson tells null from invalid JSON', () => {
  expect(parseJson('null')).toBeNull()
  expect(parseJson(' {"a":[1]} ')).toEqual({ a: [1] })
})
