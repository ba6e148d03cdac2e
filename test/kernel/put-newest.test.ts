import { expect, it } from 'vitest'
import { dropOldest, putNewest } from '../../src/kernel/put-newest.js'

it('puts an entry behind the others and deletes the oldest beyond the limit', () => {
  const map = new Map([
    ['a', 1],
    ['b', 2],
  ])
  putNewest(map, 'a', 3, 2)
  expect([...map]).toEqual([
    ['b', 2],
    ['a', 3],
  ])
  putNewest(map, 'c', 4, 2)
  expect([...map.keys()]).toEqual(['a', 'c'])
})

it('deletes nothing from a map within the limit', () => {
  const map = new Map([['a', 1]])
  dropOldest(map, 1)
  expect(map.size).toBe(1)
  dropOldest(map, 0)
  expect(map.size).toBe(0)
})
