import { u8 } from './primitives.js'
import type { AnyType, Infer, ScaleType } from './type.js'

export function vec<T>(item: ScaleType<T>): ScaleType<readonly T[]> {
  return {
    key: `Vec<${item.key}>`,
    describe: () => ({ definition: { kind: 'sequence', item } }),
    encode: (writer, values) => {
      writer.compact(values.length)
      for (const value of values) item.encode(writer, value)
    },
    decode: (reader) => {
      const count = reader.length()
      const values: T[] = []
      for (let index = 0; index < count; index++) values.push(item.decode(reader))
      return values
    },
  }
}

/** `Vec<u8>` as a Uint8Array. */
export const bytes: ScaleType<Uint8Array> = {
  key: 'Vec<u8>',
  describe: () => ({ definition: { kind: 'sequence', item: u8 } }),
  encode: (writer, value) => {
    writer.compact(value.length)
    writer.bytes(value)
  },
  decode: (reader) => reader.bytes(reader.length()),
}

/** `[u8; length]` as a Uint8Array. */
export function fixedBytes(length: number): ScaleType<Uint8Array> {
  return {
    key: `[u8;${length}]`,
    describe: () => ({ definition: { kind: 'array', item: u8, length } }),
    encode: (writer, value) => {
      if (value.length !== length) throw new RangeError(`${value.length} bytes instead of ${length}`)
      writer.bytes(value)
    },
    decode: (reader) => reader.bytes(length),
  }
}

export function option<T>(item: ScaleType<T>): ScaleType<T | undefined> {
  return {
    key: `Option<${item.key}>`,
    describe: () => ({
      path: ['Option'],
      params: [{ name: 'T', type: item }],
      definition: {
        kind: 'variant',
        variants: [
          { name: 'None', index: 0, fields: [] },
          { name: 'Some', index: 1, fields: [{ name: undefined, type: item }] },
        ],
      },
    }),
    encode: (writer, value) => {
      writer.byte(value === undefined ? 0 : 1)
      if (value !== undefined) item.encode(writer, value)
    },
    decode: (reader) => {
      const byte = reader.byte()
      if (byte > 1) throw new Error('bad option')
      return byte === 1 ? item.decode(reader) : undefined
    },
  }
}

type TupleValue<I extends readonly AnyType[]> = { readonly [K in keyof I]: Infer<I[K]> }

export function tuple<const I extends readonly AnyType[]>(...items: I): ScaleType<TupleValue<I>> {
  return {
    key: `(${items.map((item) => item.key).join(',')})`,
    describe: () => ({ definition: { kind: 'tuple', items } }),
    encode: (writer, values) => {
      items.forEach((item, index) => {
        item.encode(writer, values[index])
      })
    },
    // The cast holds because the items are decoded in the order of the tuple's types.
    decode: (reader) => items.map((item) => item.decode(reader)) as TupleValue<I>,
  }
}
