import { expect, test } from 'vitest'
import { RowIndex } from '../../../../src/roles/hub/organics/row-index.js'

function indexOf(bytes: readonly number[]): RowIndex {
  const index = new RowIndex()
  for (const [at, size] of bytes.entries())
    index.add({ name: `r${at}`, atMs: at, model: 'org/m', hotkey: 'h', bytes: size, values: 1 })
  return index
}

test.each([
  ['within both bounds', { rows: 4, bytes: 100 }, []],
  ['too many rows', { rows: 2, bytes: 100 }, ['r0', 'r1']],
  ['too many bytes', { rows: 4, bytes: 65 }, ['r0', 'r1']],
  ['no room at all', { rows: 0, bytes: 0 }, ['r0', 'r1', 'r2', 'r3']],
])('the oldest rows go first: %s', (_, most, names) => {
  expect(indexOf([10, 30, 30, 30]).overflow(most)).toEqual(names)
})

test('counts rows and bytes, also when a row is deleted twice', () => {
  const index = indexOf([10, 20, 30])
  index.delete('r1')
  index.delete('r1')
  index.delete('unknown')
  expect([index.size, index.bytes]).toEqual([2, 40])
})

test('a row expires at its time', () => {
  const index = indexOf([1, 1, 1])
  expect(index.expired(1)).toEqual(['r0', 'r1'])
  expect(index.newerThan(1).map(({ name }) => name)).toEqual(['r2'])
})
