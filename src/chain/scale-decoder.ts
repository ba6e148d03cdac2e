import type { ApiPromise } from '@polkadot/api'

/**
 * Decoders compiled from the metadata's own type table: plain values, no codec objects. Whatever layout a runtime
 * declares is followed; nothing about a type is written here.
 *
 * Shapes: integers to 32 bits `number`, larger `bigint`; `Vec<u8>`, `[u8; n]` and account ids `Uint8Array`; structs
 * objects by field name; one-field tuple structs their field; `Option` value or undefined; other enums
 * `{ kind, value }`.
 */
export type Decode = (reader: ScaleReader) => unknown

/** The metadata's table of types. */
export type Lookup = ApiPromise['runtimeMetadata']['asLatest']['lookup']
type PortableDefinition = ReturnType<Lookup['getSiType']>

/** A value that does not fit its type: bytes missing, left over, or an unknown variant. */
export class ScaleError extends Error {
  override readonly name = 'ScaleError'
}

export class ScaleReader {
  #offset = 0
  readonly #view: DataView

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.bytes.length - this.#offset
  }

  #step(length: number): number {
    const at = this.#offset
    if (length > this.bytes.length - at) throw new ScaleError('value ends too early')
    this.#offset = at + length
    return at
  }

  take(length: number): Uint8Array {
    const at = this.#step(length)
    return this.bytes.subarray(at, at + length)
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1))
  }

  i8(): number {
    return this.#view.getInt8(this.#step(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#step(2), true)
  }

  i16(): number {
    return this.#view.getInt16(this.#step(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), true)
  }

  i32(): number {
    return this.#view.getInt32(this.#step(4), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true)
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#step(8), true)
  }

  u128(): bigint {
    return this.u64() | (this.u64() << 64n)
  }

  i128(): bigint {
    return BigInt.asIntN(128, this.u128())
  }

  u256(): bigint {
    return this.u128() | (this.u128() << 128n)
  }

  bool(): boolean {
    const byte = this.u8()
    if (byte > 1) throw new ScaleError('a bool is neither 0 nor 1')
    return byte === 1
  }

  compact(): bigint | number {
    const first = this.u8()
    const mode = first & 3
    if (mode === 0) return first >> 2
    if (mode === 1) return (first >> 2) | (this.u8() << 6)
    if (mode === 2) return (first >> 2) + (this.u8() | (this.u16() << 8)) * 64
    const bytes = this.take((first >> 2) + 4)
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
  }

  /** Length of a collection; one that could not fit in the rest is refused before anything is allocated. */
  length(): number {
    const length = Number(this.compact())
    if (length > this.left) throw new ScaleError('a collection claims more elements than there are bytes')
    return length
  }
}

const BIG_INTEGERS = new Set(['U64', 'U128', 'U256'])

/** Compiles decoders of one registry, each type once. */
export function createDecoders(lookup: Lookup): (typeId: number) => Decode {
  const compiled = new Map<number, Decode>()

  function decoder(id: number): Decode {
    const known = compiled.get(id)
    if (known) return known
    // Recursive types refer to themselves through this indirection.
    compiled.set(id, (reader) => decoder(id)(reader))
    const made = compile(lookup.getSiType(id))
    compiled.set(id, made)
    return made
  }

  function compile(type: PortableDefinition): Decode {
    const { def } = type
    if (def.isPrimitive) return primitive(def.asPrimitive.type)
    if (def.isCompact) return compact(def.asCompact.type.toNumber())
    if (def.isSequence) return sequence(def.asSequence.type.toNumber())
    if (def.isArray) return array(def.asArray.type.toNumber(), def.asArray.len.toNumber())
    if (def.isTuple) return tuple(def.asTuple.map((id) => id.toNumber()))
    if (def.isComposite) {
      return fields(
        def.asComposite.fields.map((f) => [f.name.unwrapOr(undefined)?.toString(), f.type.toNumber()]),
      )
    }
    if (def.isVariant) return variant(type)
    return () => {
      throw new ScaleError(`type ${def.type} cannot be decoded`)
    }
  }

  function sequence(id: number): Decode {
    if (isByte(id)) return (reader) => reader.take(reader.length())
    const element = decoder(id)
    return (reader) => repeat(reader, element, reader.length())
  }

  function array(id: number, length: number): Decode {
    if (isByte(id)) return (reader) => reader.take(length)
    const element = decoder(id)
    return (reader) => repeat(reader, element, length)
  }

  function tuple(ids: readonly number[]): Decode {
    const parts = ids.map(decoder)
    return (reader) => parts.map((part) => part(reader))
  }

  function fields(list: readonly (readonly [name: string | undefined, id: number])[]): Decode {
    const [first] = list
    if (list.length === 1 && first && first[0] === undefined) return decoder(first[1])
    if (list.every(([name]) => name === undefined)) return tuple(list.map(([, id]) => id))
    const parts = list.map(([name, id], index) => [name ?? String(index), decoder(id)] as const)
    return (reader) => {
      const value: Record<string, unknown> = {}
      for (const [name, part] of parts) value[name] = part(reader)
      return value
    }
  }

  function variant(type: PortableDefinition): Decode {
    const kinds = new Map(
      type.def.asVariant.variants.map((entry) => [
        entry.index.toNumber(),
        {
          kind: entry.name.toString(),
          value: fields(entry.fields.map((f) => [f.name.unwrapOr(undefined)?.toString(), f.type.toNumber()])),
        },
      ]),
    )
    if (type.path.length === 1 && type.path[0]?.toString() === 'Option') {
      const some = kinds.get(1)?.value
      return (reader) => (reader.bool() ? some?.(reader) : undefined)
    }
    return (reader) => {
      const found = kinds.get(reader.u8())
      if (!found) throw new ScaleError('unknown variant of an enum')
      return { kind: found.kind, value: found.value(reader) }
    }
  }

  function compact(id: number): Decode {
    return BIG_INTEGERS.has(innermost(id))
      ? (reader) => BigInt(reader.compact())
      : (reader) => Number(reader.compact())
  }

  /** Name of the primitive inside newtypes. */
  function innermost(id: number): string {
    const { def } = lookup.getSiType(id)
    if (def.isPrimitive) return def.asPrimitive.type
    const only = def.isComposite ? def.asComposite.fields[0] : undefined
    return only ? innermost(only.type.toNumber()) : ''
  }

  const isByte = (id: number) => {
    const { def } = lookup.getSiType(id)
    return def.isPrimitive && def.asPrimitive.type === 'U8'
  }

  return decoder
}

function repeat(reader: ScaleReader, element: Decode, length: number): unknown[] {
  const values = new Array<unknown>(length)
  for (let index = 0; index < length; index++) values[index] = element(reader)
  return values
}

function primitive(name: string): Decode {
  switch (name) {
    case 'Bool':
      return (reader) => reader.bool()
    case 'U8':
      return (reader) => reader.u8()
    case 'U16':
      return (reader) => reader.u16()
    case 'U32':
      return (reader) => reader.u32()
    case 'U64':
      return (reader) => reader.u64()
    case 'U128':
      return (reader) => reader.u128()
    case 'U256':
      return (reader) => reader.u256()
    case 'I8':
      return (reader) => reader.i8()
    case 'I16':
      return (reader) => reader.i16()
    case 'I32':
      return (reader) => reader.i32()
    case 'I64':
      return (reader) => reader.i64()
    case 'I128':
      return (reader) => reader.i128()
    case 'Str':
      return (reader) => new TextDecoder().decode(reader.take(reader.length()))
    default:
      return () => {
        throw new ScaleError(`primitive ${name} cannot be decoded`)
      }
  }
}

/** Decodes a whole value. @throws ScaleError when bytes are missing or left over. */
export function decodeExactly(decode: Decode, bytes: Uint8Array): unknown {
  const reader = new ScaleReader(bytes)
  const value = decode(reader)
  if (reader.left > 0) throw new ScaleError(`${reader.left} bytes are left over`)
  return value
}
