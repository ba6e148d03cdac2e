import fc from 'fast-check'
import { expect, test } from 'vitest'
import { State } from '../../../../src/localnet/chain/storage/index.js'

const KEYS = ['0xaa01', '0xaa02', '0xbb01']
const KEPT_BLOCKS = 10

type Write = readonly [key: string, value: number | undefined]
const write: fc.Arbitrary<Write> = fc.tuple(
  fc.constantFrom(...KEYS),
  fc.option(fc.nat(255), { nil: undefined }),
)
const writes = fc.array(write, { maxLength: 5 })

test('reads every kept block as a plain map recorded it, even while the next block is being built', () => {
  fc.assert(
    fc.property(fc.array(writes, { minLength: 1, maxLength: 8 }), writes, (blocks, unfinished) => {
      const state = new State(KEPT_BLOCKS)
      const model = new Map<string, number>()
      const snapshots = blocks.map((block, number) => {
        for (const [key, value] of block) apply(state, model, key, value)
        state.seal(number)
        return new Map(model)
      })
      for (const [key, value] of unfinished) apply(state, model, key, value)
      snapshots.forEach((snapshot, number) => {
        const view = state.at(number)
        expect(KEYS.map((key) => view.raw(key)?.[0])).toEqual(KEYS.map((key) => snapshot.get(key)))
        expect(view.keys('0x')).toEqual([...snapshot.keys()].sort())
        expect(view.keys('0xaa')).toEqual([...snapshot.keys()].filter((key) => key.startsWith('0xaa')).sort())
      })
    }),
  )
})

test('rolls back the writes of a failed transaction', () => {
  fc.assert(
    fc.property(writes, writes, (before, failed) => {
      const state = new State(KEPT_BLOCKS)
      const model = new Map<string, number>()
      for (const [key, value] of before) apply(state, model, key, value)
      const attempt = () =>
        state.transact(() => {
          for (const [key, value] of failed) apply(state, new Map(), key, value)
          throw new Error('refused')
        })
      expect(attempt).toThrow('refused')
      expect(KEYS.map((key) => state.raw(key)?.[0])).toEqual(KEYS.map((key) => model.get(key)))
    }),
  )
})

function apply(state: State, model: Map<string, number>, key: string, value: number | undefined): void {
  state.put(key, value === undefined ? undefined : Uint8Array.of(value))
  if (value === undefined) model.delete(key)
  else model.set(key, value)
}
