import { utf8 } from './bytes.js'
import type { ScaleType } from './type.js'

function primitive<T>(key: string, codec: Pick<ScaleType<T>, 'encode' | 'decode'>): ScaleType<T> {
  const name = `${key.charAt(0).toUpperCase()}${key.slice(1)}`
  return { key, describe: () => ({ definition: { kind: 'primitive', name } }), ...codec }
}

function checkRange(value: number | bigint, bits: number): void {
  // Powers of two are exact floats, and comparing a bigint with a float is exact too.
  const isInteger = typeof value === 'bigint' || Number.isInteger(value)
  if (!isInteger || value < 0 || value >= 2 ** bits) throw new RangeError(`${value} is not a u${bits}`)
}

function uint(bits: 8 | 16 | 32): ScaleType<number> {
  return primitive(`u${bits}`, {
    encode: (writer, value) => {
      checkRange(value, bits)
      writer.uint(value, bits / 8)
    },
    decode: (reader) => reader.uint(bits / 8),
  })
}

function bigUint(bits: 64 | 128): ScaleType<bigint> {
  return primitive(`u${bits}`, {
    encode: (writer, value) => {
      checkRange(value, bits)
      writer.bigUint(value, bits / 8)
    },
    decode: (reader) => reader.bigUint(bits / 8),
  })
}

export const u8 = uint(8)
export const u16 = uint(16)
export const u32 = uint(32)
export const u64 = bigUint(64)
export const u128 = bigUint(128)

export const i128: ScaleType<bigint> = primitive('i128', {
  encode: (writer, value) => writer.bigUint(BigInt.asUintN(128, value), 16),
  decode: (reader) => BigInt.asIntN(128, reader.bigUint(16)),
})

export const bool: ScaleType<boolean> = primitive('bool', {
  encode: (writer, value) => writer.byte(value ? 1 : 0),
  decode: (reader) => {
    const byte = reader.byte()
    if (byte > 1) throw new Error('bad bool')
    return byte === 1
  },
})

export const str: ScaleType<string> = primitive('str', {
  encode: (writer, value) => {
    const bytes = utf8(value)
    writer.compact(bytes.length)
    writer.bytes(bytes)
  },
  decode: (reader) => new TextDecoder('utf-8', { fatal: true }).decode(reader.bytes(reader.length())),
})

function compact<T extends number | bigint>(
  item: ScaleType<T>,
  bits: number,
  narrow: (value: bigint) => T,
): ScaleType<T> {
  return {
    key: `Compact<${item.key}>`,
    describe: () => ({ definition: { kind: 'compact', item } }),
    encode: (writer, value) => {
      checkRange(value, bits)
      writer.compact(value)
    },
    decode: (reader) => {
      const value = reader.compact()
      checkRange(value, bits)
      return narrow(value)
    },
  }
}

export const compactU8 = compact(u8, 8, Number)
export const compactU16 = compact(u16, 16, Number)
export const compactU32 = compact(u32, 32, Number)
export const compactU64 = compact(u64, 64, (value) => value)
export const compactU128 = compact(u128, 128, (value) => value)

export const unit: ScaleType<undefined> = {
  key: '()',
  describe: () => ({ definition: { kind: 'tuple', items: [] } }),
  encode: () => {},
  decode: () => undefined,
}

/** `Compact<()>`, which takes no bytes: the account index of MultiAddress. */
export const compactUnit: ScaleType<undefined> = {
  ...unit,
  key: 'Compact<()>',
  describe: () => ({ definition: { kind: 'compact', item: unit } }),
}
