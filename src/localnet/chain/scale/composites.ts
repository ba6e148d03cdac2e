import type { Reader } from './reader.js'
import type { AnyType, FieldDescription, Infer, ScaleType, TypeParameter } from './type.js'
import type { Writer } from './writer.js'

/** Fields of a struct or variant: none, positional or named. The value of a single positional field is not wrapped. */
export type Fields = null | readonly AnyType[] | { readonly [name: string]: AnyType }

export type FieldsValue<F> = F extends null
  ? undefined
  : F extends readonly [infer Only]
    ? Infer<Only>
    : F extends readonly AnyType[]
      ? { readonly [K in keyof F]: Infer<F[K]> }
      : { readonly [K in keyof F]: Infer<F[K]> }

export interface VariantEntry<F extends Fields = Fields> {
  readonly index: number
  readonly fields: F
}

export type VariantEntries = { readonly [name: string]: VariantEntry }

export type VariantValue<V extends VariantEntries> = {
  [K in keyof V & string]: { readonly type: K; readonly value: FieldsValue<V[K]['fields']> }
}[keyof V & string]

type Parameters = { readonly [name: string]: AnyType | undefined }

/** @param path the full Rust path */
export function struct<const F extends { readonly [name: string]: AnyType }>(
  path: string,
  fields: F,
  params: Parameters = {},
): ScaleType<FieldsValue<F>> {
  return composite(path, fields, params) as ScaleType<FieldsValue<F>>
}

/** A tuple struct with one field, whose value is not wrapped. */
export function newtype<T>(path: string, inner: ScaleType<T>, params: Parameters = {}): ScaleType<T> {
  return composite(path, [inner], params) as ScaleType<T>
}

/** A variant at its index. */
export function at<const F extends Fields>(index: number, fields: F): VariantEntry<F> {
  return { index, fields }
}

/** Variants without fields, indexed in order. */
export function unitVariants<const N extends string>(
  ...names: readonly N[]
): { readonly [K in N]: VariantEntry<null> } {
  const entries = names.map((name, index) => [name, at(index, null)])
  return Object.fromEntries(entries) as { readonly [K in N]: VariantEntry<null> }
}

/** A Rust enum. A value is `{type, value}`; `value` is undefined for a variant without fields. */
export function variant<const V extends VariantEntries>(
  path: string,
  entries: V,
  params: Parameters = {},
): ScaleType<VariantValue<V>> {
  const known = Object.entries(entries).map(([name, entry]) => ({ name, ...entry }))
  const byName = new Map(known.map((entry) => [entry.name, entry]))
  const byIndex = new Map(known.map((entry) => [entry.index, entry]))
  const type: ScaleType<{ type: string; value: unknown }> = {
    key: keyOf(path, params),
    describe: () => ({
      path: path.split('::'),
      params: describeParameters(params),
      definition: {
        kind: 'variant',
        variants: known.map(({ name, index, fields }) => ({ name, index, fields: describeFields(fields) })),
      },
    }),
    encode: (writer, value) => {
      const entry = byName.get(value.type)
      if (!entry) throw new Error(`${path} has no ${value.type}`)
      writer.byte(entry.index)
      encodeFields(writer, entry.fields, value.value)
    },
    decode: (reader) => {
      const index = reader.byte()
      const entry = byIndex.get(index)
      if (!entry) throw new Error(`${path} has no variant ${index}`)
      return { type: entry.name, value: decodeFields(reader, entry.fields) }
    },
  }
  return type as ScaleType<VariantValue<V>>
}

function composite(path: string, fields: Fields, params: Parameters): AnyType {
  return {
    key: keyOf(path, params),
    describe: () => ({
      path: path.split('::'),
      params: describeParameters(params),
      definition: { kind: 'composite', fields: describeFields(fields) },
    }),
    encode: (writer, value) => encodeFields(writer, fields, value),
    decode: (reader) => decodeFields(reader, fields),
  }
}

function keyOf(path: string, params: Parameters): string {
  const names = Object.values(params).map((type) => type?.key ?? '_')
  return names.length === 0 ? path : `${path}<${names.join(',')}>`
}

function describeParameters(params: Parameters): TypeParameter[] {
  return Object.entries(params).map(([name, type]) => ({ name, type }))
}

function describeFields(fields: Fields): FieldDescription[] {
  if (fields === null) return []
  if (isPositional(fields)) return fields.map((type) => ({ name: undefined, type }))
  return Object.entries(fields).map(([name, type]) => ({ name, type }))
}

function encodeFields(writer: Writer, fields: Fields, value: unknown): void {
  if (fields === null) return
  if (!isPositional(fields)) {
    const record = value as Readonly<Record<string, unknown>>
    for (const [name, type] of Object.entries(fields)) type.encode(writer, record[name])
    return
  }
  const items = fields.length === 1 ? [value] : (value as readonly unknown[])
  fields.forEach((type, index) => {
    type.encode(writer, items[index])
  })
}

function decodeFields(reader: Reader, fields: Fields): unknown {
  if (fields === null) return undefined
  if (!isPositional(fields)) {
    return Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, type.decode(reader)]))
  }
  if (fields.length === 1) return fields[0]?.decode(reader)
  return fields.map((type) => type.decode(reader))
}

function isPositional(fields: Exclude<Fields, null>): fields is readonly AnyType[] {
  return Array.isArray(fields)
}
