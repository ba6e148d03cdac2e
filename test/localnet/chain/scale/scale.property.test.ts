import { TypeRegistry } from '@polkadot/types'
import { u8aToHex } from '@polkadot/util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bool,
  bytes,
  compactU16,
  compactU64,
  compactU128,
  decode,
  encode,
  option,
  type ScaleType,
  str,
  struct,
  tuple,
  u8,
  u16,
  u32,
  u64,
  u128,
  vec,
} from '../../../../src/localnet/chain/scale/index.js'

const wide = (bits: bigint) => fc.bigInt({ min: 0n, max: 2n ** bits - 1n })

/** A type, an arbitrary for its values, and its name in polkadot-js. */
interface Sample<T> {
  readonly type: ScaleType<T>
  readonly values: fc.Arbitrary<T>
  readonly name: string
}

function sample<T>(name: string, type: ScaleType<T>, values: fc.Arbitrary<T>): Sample<unknown> {
  return { name, type: type as ScaleType<unknown>, values }
}

const samples = [
  sample('u8', u8, fc.nat(255)),
  sample('u16', u16, fc.nat(65_535)),
  sample('u32', u32, fc.nat(0xffff_ffff)),
  sample('u64', u64, wide(64n)),
  sample('u128', u128, wide(128n)),
  sample('bool', bool, fc.boolean()),
  sample('Text', str, fc.string({ unit: 'grapheme' })),
  sample('Compact<u16>', compactU16, fc.nat(65_535)),
  sample('Compact<u64>', compactU64, wide(64n)),
  sample('Compact<u128>', compactU128, wide(128n)),
  sample('Option<u32>', option(u32), fc.option(fc.nat(0xffff_ffff), { nil: undefined })),
  sample('Vec<(u16,u64)>', vec(tuple(u16, u64)), fc.array(fc.tuple(fc.nat(65_535), wide(64n)))),
]

describe('SCALE codec', () => {
  const registry = new TypeRegistry()

  test.each(samples)('encodes $name like polkadot-js and decodes it again', ({ name, type, values }) => {
    fc.assert(
      fc.property(values, (value) => {
        const own = encode(type, value)
        expect(u8aToHex(own)).toBe(u8aToHex(registry.createType(name, value).toU8a()))
        expect(decode(type, own)).toEqual(value)
      }),
    )
  })

  test('rejects truncated values and trailing bytes', () => {
    const type = struct('Sample', { id: u32, name: str, data: bytes, price: option(compactU64) })
    const value = { id: 7, name: 'axon', data: Uint8Array.of(1, 2, 3), price: 1n << 40n }
    const whole = encode(type, value)
    for (let length = 0; length < whole.length; length++) {
      expect(() => decode(type, whole.slice(0, length))).toThrow()
    }
    expect(() => decode(type, Uint8Array.of(...whole, 0))).toThrow(/trailing/)
  })

  test.each([
    ['a compact integer in too many bytes', compactU64, [0x01, 0x00]],
    ['a big-integer compact with a leading zero', compactU64, [0x07, 1, 1, 1, 1, 0]],
    ['a compact integer that overflows its type', compactU16, [0x02, 0x00, 0x04, 0x00]],
    ['a bool of 2', bool, [2]],
    ['an option of 2', option(u8), [2, 0]],
    ['a string that is not UTF-8', str, [0x04, 0xff]],
  ] as const)('rejects %s', (_, type, input) => {
    expect(() => decode(type as ScaleType<unknown>, Uint8Array.from(input))).toThrow()
  })

  test('decodes random bytes only when they are a canonical encoding', () => {
    const type = vec(struct('Sample', { data: bytes, price: option(compactU64) }))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (input) => {
        const value = attempt(() => decode(type, input))
        if (value !== undefined) expect(encode(type, value)).toEqual(input)
      }),
    )
  })
})

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
