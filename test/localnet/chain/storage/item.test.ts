import { describe, expect, test } from 'vitest'
import { bytes, fixedBytes, u16, u32, u64 } from '../../../../src/localnet/chain/scale/index.js'
import {
  blake2Concat,
  identity,
  map,
  optionalMap,
  palletItems,
  plain,
  twoxConcat,
} from '../../../../src/localnet/chain/storage/index.js'

const ALICE = Buffer.from('d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d', 'hex')
const SYSTEM = '0x26aa394eea5630e07c48ae0c9558cef7'

describe('StorageItem', () => {
  const items = palletItems('System', {
    Number: plain(u32, 0),
    Account: map([blake2Concat(fixedBytes(32))], u64, 7n),
    BlockHash: map([twoxConcat(u32)], bytes, new Uint8Array()),
    Pair: optionalMap([identity(u16), identity(u16)], u64),
  })

  test.each([
    ['a plain item', items.Number.keyOf(), '02a5c1b19ab7a04f536c519aca4983ac'],
    [
      'a Blake2_128Concat map',
      items.Account.keyOf(ALICE),
      'b99d880ec681799c0cf30e8886371da9de1e86a9a8c739864cf3cc5ec2bea59fd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d',
    ],
    [
      'a Twox64Concat map',
      items.BlockHash.keyOf(0),
      'a44704b568d21667356a5a050c118746b4def25cfda6ef3a00000000',
    ],
  ])('computes the storage key that real nodes use for %s', (_, key, suffix) => {
    expect(key).toBe(`${SYSTEM}${suffix}`)
  })

  test('returns a key prefix when trailing keys are omitted', () => {
    expect(items.Pair.keyOf(4, 1)).toBe(`${items.Pair.keyOf(4)}0100`)
    expect(items.Pair.keyOf(4)).toBe(`${items.Pair.keyOf()}0400`)
  })

  test('is optional only without a fallback', () => {
    expect([items.Account.optional, items.Pair.optional]).toEqual([false, true])
    expect([items.Account.fallback, items.Pair.fallback]).toEqual([7n, undefined])
  })

  test('has no name or key before it is attached to a pallet', () => {
    const item = plain(u32, 0)
    expect(() => item.keyOf()).toThrow('not attached')
    item.attach('System', 'Number')
    expect(item.name).toBe('Number')
    expect(item.keyOf()).toBe(items.Number.keyOf())
  })
})
