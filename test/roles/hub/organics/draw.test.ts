import fc from 'fast-check'
import { expect, test } from 'vitest'
import { drawRows } from '../../../../src/roles/hub/organics/draw.js'

const unlimited = { rows: 1000, bytes: 1e9, values: 1e9 }
const rowOf = (hotkey: string, model = 'm', bytes = 10, values = 5) => ({
  atMs: 0,
  model,
  hotkey,
  bytes,
  values,
})
const rowsOf = (hotkey: string, count: number, model = 'm') =>
  Array.from({ length: count }, () => rowOf(hotkey, model))

const anyRow = fc.record({
  hotkey: fc.constantFrom('a', 'b', 'c'),
  model: fc.constantFrom('m', 'n'),
  bytes: fc.integer({ min: 1, max: 50 }),
  values: fc.integer({ min: 1, max: 50 }),
  atMs: fc.constant(0),
})
const anyRandom = fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))

test('stays within every bound and draws no row twice', () => {
  const anyLimits = fc.record({
    rows: fc.nat(30),
    bytes: fc.nat(400),
    values: fc.nat(400),
  })
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 40 }), anyLimits, anyRandom, (rows, limits, random) => {
      const drawn = drawRows(rows, limits, () => random.next().value)
      const sum = (member: 'bytes' | 'values') => drawn.reduce((total, row) => total + row[member], 0)
      expect(drawn.length).toBeLessThanOrEqual(limits.rows)
      expect(sum('bytes')).toBeLessThanOrEqual(limits.bytes)
      expect(sum('values')).toBeLessThanOrEqual(limits.values)
      expect(new Set(drawn).size).toBe(drawn.length)
      for (const row of drawn) expect(rows).toContain(row)
    }),
  )
})

test('draws every row when all fit', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { maxLength: 40 }), anyRandom, (rows, random) => {
      expect(new Set(drawRows(rows, unlimited, () => random.next().value))).toEqual(new Set(rows))
    }),
  )
})

test('a miner with many answers does not displace those of the others', () => {
  const rows = [...rowsOf('flood', 5000), ...rowsOf('small', 10), ...rowsOf('smaller', 3)]
  const drawn = drawRows(rows, { ...unlimited, rows: 30 }, Math.random)
  const count = (hotkey: string) => drawn.filter((row) => row.hotkey === hotkey).length
  expect([count('flood'), count('small'), count('smaller')]).toEqual([17, 10, 3])
})

test('draws each answer of a miner with the same probability', () => {
  const rows = rowsOf('a', 10)
  const times = new Map(rows.map((row) => [row, 0]))
  let state = 1
  const random = () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  for (let draw = 0; draw < 5000; draw++)
    for (const row of drawRows(rows, { ...unlimited, rows: 2 }, random))
      times.set(row, (times.get(row) ?? 0) + 1)
  for (const count of times.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
})

test('a row that is too large does not keep smaller ones out', () => {
  const large = rowOf('a', 'm', 1000)
  const small = rowOf('b', 'm', 10)
  expect(drawRows([large, small], { ...unlimited, bytes: 500 }, () => 0.5)).toEqual([small])
})

test('draws no more numbers than it takes rows, however many are kept', () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => rowOf(`h${n % 4}`))
  let draws = 0
  const random = () => {
    draws++
    return 0.5
  }
  expect(drawRows(rows, { rows: 100, bytes: 1 << 30, values: 1 << 30 }, random)).toHaveLength(100)
  expect(draws).toBeLessThan(120)
})
