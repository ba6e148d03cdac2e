import type { AnyType, ScaleType } from '../scale/index.js'
import type { AnyItem } from '../storage/index.js'

export interface Constant {
  readonly name: string
  readonly type: AnyType
  readonly value: unknown
}

export interface Pallet {
  readonly name: string
  readonly index: number
  readonly storage: readonly AnyItem[]
  readonly calls?: AnyType
  readonly events?: AnyType
  readonly errors?: AnyType
  readonly constants: readonly Constant[]
}

export interface ApiMethod {
  readonly name: string
  readonly inputs: { readonly [name: string]: AnyType }
  readonly output: AnyType
}

export interface RuntimeApi {
  readonly name: string
  readonly version: number
  readonly methods: readonly ApiMethod[]
}

/** `extra` is encoded in the extrinsic; `implicit` is only part of the signed payload. */
export interface TransactionExtension {
  readonly identifier: string
  readonly extra: AnyType
  readonly implicit: AnyType
}

/** Everything the metadata tells a client about a runtime. */
export interface RuntimeDefinition {
  readonly pallets: readonly Pallet[]
  readonly apis: readonly RuntimeApi[]
  readonly extensions: readonly TransactionExtension[]
  readonly types: {
    readonly runtime: AnyType
    readonly address: AnyType
    readonly signature: AnyType
    readonly call: AnyType
    readonly event: AnyType
    readonly error: AnyType
    readonly extra: AnyType
    readonly extrinsic: ScaleType<Uint8Array>
  }
}
