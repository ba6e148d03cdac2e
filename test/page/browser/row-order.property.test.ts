import fc from 'fast-check'
import { expect, it } from 'vitest'
import { rowsThatStay } from '../../../src/page/browser/row-order.js'

const keys = fc.uniqueArray(fc.integer({ min: 0, max: 30 }))

/** Moves every row that does not stay before the one that follows it, as the table does. */
function arrange(current: readonly number[], wanted: readonly number[]): number[] {
  const staying = rowsThatStay(current, wanted)
  let rows = [...current]
  let after: number | undefined
  for (const key of wanted.toReversed()) {
    if (!staying.has(key)) {
      rows = rows.filter((row) => row !== key)
      rows.splice(after === undefined ? rows.length : rows.indexOf(after), 0, key)
    }
    after = key
  }
  return rows
}

it('puts the rows into the wanted order by moving the others', () => {
  fc.assert(
    fc.property(keys, fc.infiniteStream(fc.nat(1000)), (wanted, ranks) => {
      const current = wanted
        .map((key) => ({ key, rank: ranks.next().value as number }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ key }) => key)
      expect(arrange(current, wanted)).toEqual(wanted)
    }),
  )
})

it('moves one row when one is out of place', () => {
  const wanted = Array.from({ length: 1000 }, (_, place) => place)
  const current = [999, ...wanted.slice(0, 999)]
  expect(rowsThatStay(current, wanted).size).toBe(999)
})

it('keeps no row that is not wanted', () => {
  expect([...rowsThatStay([1, 2, 3], [3])]).toEqual([3])
  expect(rowsThatStay([], [1]).size).toBe(0)
})
