import type { Metadata } from '@polkadot/types'
import { ScaleError, ScaleReader } from './scale-reader.js'

/**
 * Decoders compiled from the type table of the metadata, so that no layout is hard-coded here. They yield plain values:
 *
 * integers up to 32 bits `number`, larger `bigint`; `Vec<u8>`, `[u8; n]` and account ids `Uint8Array`; structs objects by
 * field name; one-field tuple structs their field; `Option` the value or undefined; other enums `{ kind, value }`.
 */
export type Decode = (reader: ScaleReader) => unknown

/** The type table of the metadata. */
export type Lookup = Metadata['asLatest']['lookup']
type PortableDefinition = ReturnType<Lookup['getSiType']>
type Field = readonly [name: string | undefined, typeId: number]

const BIG_INTEGERS = new Set(['U64', 'U128', 'U256'])

/** Compiles the decoders of one type table, each type once. */
export function createDecoders(lookup: Lookup): (typeId: number) => Decode {
  const compiler = new DecoderCompiler(lookup)
  return (typeId) => compiler.decoder(typeId)
}

class DecoderCompiler {
  readonly #lookup: Lookup
  readonly #compiled = new Map<number, Decode>()

  constructor(lookup: Lookup) {
    this.#lookup = lookup
  }

  decoder(id: number): Decode {
    const known = this.#compiled.get(id)
    if (known) return known
    // Recursive types refer to themselves through this indirection.
    this.#compiled.set(id, (reader) => this.decoder(id)(reader))
    const compiled = this.#compile(this.#lookup.getSiType(id))
    this.#compiled.set(id, compiled)
    return compiled
  }

  #compile(type: PortableDefinition): Decode {
    const { def } = type
    if (def.isPrimitive) return primitive(def.asPrimitive.type)
    if (def.isCompact) return this.#compact(def.asCompact.type.toNumber())
    if (def.isSequence) return this.#collection(def.asSequence.type.toNumber())
    if (def.isArray) return this.#collection(def.asArray.type.toNumber(), def.asArray.len.toNumber())
    if (def.isTuple) return this.#tuple(def.asTuple.map((id) => id.toNumber()))
    if (def.isComposite) return this.#fields(def.asComposite.fields.map(fieldOf))
    if (def.isVariant) return this.#variant(type)
    return () => {
      throw new ScaleError(`type ${def.type} is not supported`)
    }
  }

  /** A vector, or an array when its length is known. */
  #collection(id: number, fixedLength?: number): Decode {
    const length = (reader: ScaleReader) => fixedLength ?? reader.length()
    const { def } = this.#lookup.getSiType(id)
    if (def.isPrimitive && def.asPrimitive.type === 'U8') return (reader) => reader.take(length(reader))
    const element = this.decoder(id)
    return (reader) => {
      const values = new Array<unknown>(length(reader))
      for (let index = 0; index < values.length; index++) values[index] = element(reader)
      return values
    }
  }

  #tuple(ids: readonly number[]): Decode {
    const parts = ids.map((id) => this.decoder(id))
    return (reader) => parts.map((part) => part(reader))
  }

  #fields(fields: readonly Field[]): Decode {
    const [first] = fields
    if (fields.length === 1 && first && first[0] === undefined) return this.decoder(first[1])
    if (fields.every(([name]) => name === undefined)) return this.#tuple(fields.map(([, id]) => id))
    const parts = fields.map(([name, id], index) => [name ?? String(index), this.decoder(id)] as const)
    return (reader) => {
      const value: Record<string, unknown> = {}
      for (const [name, part] of parts) value[name] = part(reader)
      return value
    }
  }

  #variant(type: PortableDefinition): Decode {
    const kinds = new Map(
      type.def.asVariant.variants.map((variant) => [
        variant.index.toNumber(),
        { kind: variant.name.toString(), value: this.#fields(variant.fields.map(fieldOf)) },
      ]),
    )
    if (type.path.length === 1 && type.path[0]?.toString() === 'Option') {
      const some = kinds.get(1)?.value
      return (reader) => (reader.bool() ? some?.(reader) : undefined)
    }
    return (reader) => {
      const found = kinds.get(reader.u8())
      if (!found) throw new ScaleError('unknown enum variant')
      return { kind: found.kind, value: found.value(reader) }
    }
  }

  #compact(id: number): Decode {
    return BIG_INTEGERS.has(this.#innermost(id))
      ? (reader) => BigInt(reader.compact())
      : (reader) => Number(reader.compact())
  }

  /** Name of the primitive inside newtypes. */
  #innermost(id: number): string {
    const { def } = this.#lookup.getSiType(id)
    if (def.isPrimitive) return def.asPrimitive.type
    const only = def.isComposite ? def.asComposite.fields[0] : undefined
    return only ? this.#innermost(only.type.toNumber()) : ''
  }
}

function fieldOf({ name, type }: PortableDefinition['def']['asComposite']['fields'][number]): Field {
  return [name.unwrapOr(undefined)?.toString(), type.toNumber()]
}

const PRIMITIVES: Readonly<Record<string, Decode>> = {
  Bool: (reader) => reader.bool(),
  U8: (reader) => reader.u8(),
  U16: (reader) => reader.u16(),
  U32: (reader) => reader.u32(),
  U64: (reader) => reader.u64(),
  U128: (reader) => reader.u128(),
  U256: (reader) => reader.u256(),
  I8: (reader) => reader.i8(),
  I16: (reader) => reader.i16(),
  I32: (reader) => reader.i32(),
  I64: (reader) => reader.i64(),
  I128: (reader) => reader.i128(),
  Str: (reader) => new TextDecoder().decode(reader.take(reader.length())),
}

function primitive(name: string): Decode {
  return (
    PRIMITIVES[name] ??
    (() => {
      throw new ScaleError(`primitive ${name} is not supported`)
    })
  )
}

/**
 * Decodes a whole value.
 *
 * @param mayGrow accepts empty options after the value: columns that a newer runtime appended and that were not asked for.
 * @throws ScaleError when bytes are missing or left over.
 */
export function decodeExactly(decode: Decode, bytes: Uint8Array, mayGrow = false): unknown {
  const reader = new ScaleReader(bytes)
  const value = decode(reader)
  const { remaining } = reader
  const isGrown = mayGrow && reader.take(remaining).every((byte) => byte === 0)
  if (remaining > 0 && !isGrown) throw new ScaleError(`${remaining} bytes are left over`)
  return value
}
