import { describe, expect, test } from 'vitest'
import { readCache4 } from '../../src/scoring/index.js'

const cache = (changes: object) =>
  JSON.stringify({
    version: 404_010,
    block_saved: 1000,
    miner_tps: { 3: { 'org/m': [1.5, null] } },
    ...changes,
  })

describe('readCache4', () => {
  test.each([
    ['-1', -1],
    ['+7', 7],
    [' 12 ', 12],
    ['1_0', 10],
  ])('reads the uid %j as Python does', (text, uid) => {
    const read = readCache4(cache({ miner_tps: { 3: { m: [1] }, [text]: { m: [2] } } }), 1100)
    expect(read.kind === 'loaded' && [...read.results.keys()].sort()).toEqual([uid, 3].sort())
  })

  test.each(['x', '', '1.5', '--1', '_1', '1__0', '0x3'])(
    'leaves out the uid %j and reads the others',
    (text) => {
      const read = readCache4(cache({ miner_tps: { 3: { m: [1] }, [text]: { m: [2] } } }), 1100)
      expect(read).toMatchObject({
        kind: 'loaded',
        results: new Map([[3, new Map([['m', [1]]])]]),
        dropped: 1,
      })
    },
  )

  test.each(['NaN', 'Infinity', '-Infinity', '1e999', '"fast"', '[1]', '{}', 'true'])(
    'leaves out the result %s and reads the others',
    (result) => {
      const text = `{"version": 404010, "block_saved": 1000, "miner_tps":
        {"3": {"m NaN \\" Infinity": [1.5, ${result}, null]}, "4": {"m": [${result}]}}}`
      expect(readCache4(text, 1100)).toEqual({
        kind: 'loaded',
        results: new Map([
          [3, new Map([['m NaN " Infinity', [1.5, null]]])],
          [4, new Map([['m', []]])],
        ]),
        block: 1000,
        dropped: 2,
      })
    },
  )

  test.each(['NaN', 'null', '7', '[]', '"text"'])('leaves out the miner %s and reads the others', (miner) => {
    const text = `{"version": 404010, "block_saved": 1000, "miner_tps": {"2": ${miner}, "3": {"m": [1], "n": NaN}}}`
    expect(readCache4(text, 1100)).toMatchObject({
      results: new Map([[3, new Map([['m', [1]]])]]),
      dropped: 2,
    })
  })

  test.each([
    ['of a fraction', 1000.5, 1100, 1000],
    ['of the future', 1_000_000_000, 1100, 1100],
    ['below zero, on a young chain', -5, 100, 0],
  ])('takes a saved block %s as a whole block of the chain', (_, saved, block, taken) => {
    expect(readCache4(cache({ block_saved: saved }), block)).toMatchObject({ kind: 'loaded', block: taken })
  })

  test.each([
    ['older than an epoch', { block_saved: 740 }],
    ['older than 4.0.0', { version: 399_999 }],
    ['without miners', { miner_tps: null }],
  ])('ignores a file %s', (_, changes) => {
    expect(readCache4(cache(changes), 1100).kind).toBe('ignored')
  })
})
