import { TypeRegistry } from '@polkadot/types'
import { describe, expect, it } from 'vitest'
import { createDecoders, decodeExactly, type Lookup } from '../../src/chain/scale-decoder.js'
import { ScaleError } from '../../src/chain/scale-reader.js'

const DEFINITIONS = [
  { path: [], def: { Primitive: 'U8' } },
  { path: [], def: { Primitive: 'U64' } },
  { path: [], def: { Primitive: 'Str' } },
  { path: [], def: { Sequence: { type: 0 } } },
  { path: [], def: { Array: { len: 3, type: 0 } } },
  { path: [], def: { Sequence: { type: 2 } } },
  { path: [], def: { Tuple: [0, 1] } },
  { path: [], def: { Compact: { type: 0 } } },
  { path: [], def: { Compact: { type: 9 } } },
  { path: ['Newtype'], def: { Composite: { fields: [{ type: 1 }] } } },
  {
    path: ['Struct'],
    def: {
      Composite: {
        fields: [
          { name: 'small', type: 0 },
          { name: 'large', type: 9 },
        ],
      },
    },
  },
  {
    path: ['Option'],
    def: {
      Variant: {
        variants: [
          { name: 'None', fields: [], index: 0 },
          { name: 'Some', fields: [{ type: 0 }], index: 1 },
        ],
      },
    },
  },
  {
    path: ['List'],
    def: {
      Variant: {
        variants: [
          { name: 'End', fields: [], index: 0 },
          { name: 'Item', fields: [{ type: 0 }, { type: 12 }], index: 5 },
        ],
      },
    },
  },
]

const registry = new TypeRegistry()
const types = DEFINITIONS.map((type, id) => ({ id, type: { ...type, params: [], docs: [] } }))
const lookup = registry.createType('PortableRegistry', { types }) as unknown as Lookup
const decoder = createDecoders(lookup)

const END = { kind: 'End', value: [] }
const RECURSIVE = { kind: 'Item', value: [1, { kind: 'Item', value: [2, END] }] }

describe('createDecoders', () => {
  it.each([
    ['u8', 0, '07', 7],
    ['u64', 1, '0700000000000000', 7n],
    ['string', 2, '086869', 'hi'],
    ['byte vector', 3, '080102', new Uint8Array([1, 2])],
    ['byte array', 4, '010203', new Uint8Array([1, 2, 3])],
    ['vector', 5, '0804610462', ['a', 'b']],
    ['tuple', 6, '010200000000000000', [1, 2n]],
    ['compact u8', 7, '04', 1],
    ['compact newtype of u64', 8, '04', 1n],
    ['newtype', 9, '0700000000000000', 7n],
    ['struct', 10, '010200000000000000', { small: 1, large: 2n }],
    ['None', 11, '00', undefined],
    ['Some', 11, '0107', 7],
    ['recursive enum', 12, '0501050200', RECURSIVE],
  ])('decodes a %s', (_, id, hex, value) => {
    const bytes = new Uint8Array(Buffer.from(hex, 'hex'))
    expect(decodeExactly(decoder(id), bytes)).toEqual(value)
  })

  it.each([
    ['an unknown variant', 12, '01'],
    ['a missing byte', 10, '0102'],
    ['a byte left over', 0, '0708'],
  ])('rejects %s', (_, id, hex) => {
    expect(() => decodeExactly(decoder(id), Buffer.from(hex, 'hex'))).toThrow(ScaleError)
  })

  it('accepts appended options only where columns may grow, and only empty ones', () => {
    const [grown, filled] = [Uint8Array.of(0, 0, 0), Uint8Array.of(0, 0, 1)]
    expect(decodeExactly(decoder(11), grown, true)).toBeUndefined()
    expect(() => decodeExactly(decoder(11), grown)).toThrow(ScaleError)
    expect(() => decodeExactly(decoder(11), filled, true)).toThrow(ScaleError)
  })
})
