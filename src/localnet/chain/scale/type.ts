import { Reader } from './reader.js'
import { Writer } from './writer.js'

/** A SCALE type: one object encodes, decodes and describes it, so the metadata always matches the bytes. */
export interface ScaleType<T> {
  /** Identifies the type in the portable registry: equal types have equal keys. */
  readonly key: string
  describe(): TypeDescription
  encode(writer: Writer, value: T): void
  decode(reader: Reader): T
}

export type AnyType = ScaleType<unknown>
export type Infer<S> = S extends ScaleType<infer T> ? T : never

export interface TypeDescription {
  readonly path?: readonly string[]
  readonly params?: readonly TypeParameter[]
  readonly definition: TypeDefinition
}

export interface TypeParameter {
  readonly name: string
  readonly type: AnyType | undefined
}

export interface FieldDescription {
  readonly name: string | undefined
  readonly type: AnyType
}

export interface VariantDescription {
  readonly name: string
  readonly index: number
  readonly fields: readonly FieldDescription[]
}

export type TypeDefinition =
  | { readonly kind: 'composite'; readonly fields: readonly FieldDescription[] }
  | { readonly kind: 'variant'; readonly variants: readonly VariantDescription[] }
  | { readonly kind: 'sequence'; readonly item: AnyType }
  | { readonly kind: 'array'; readonly item: AnyType; readonly length: number }
  | { readonly kind: 'tuple'; readonly items: readonly AnyType[] }
  | { readonly kind: 'primitive'; readonly name: string }
  | { readonly kind: 'compact'; readonly item: AnyType }

export function encode<T>(type: ScaleType<T>, value: T): Uint8Array {
  const writer = new Writer()
  type.encode(writer, value)
  return writer.finish()
}

/** @throws Error unless the bytes are exactly one value of the type */
export function decode<T>(type: ScaleType<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes)
  const value = type.decode(reader)
  reader.expectEnd()
  return value
}
